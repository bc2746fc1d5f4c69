"""DATA, whatever it is: a folder of images, a table or an array."""

from skprune._command_line._errors import BadInput

_TABLES = (".csv", ".parquet", ".pq")
_ARRAYS = (".npy", ".npz")


def read_data(arguments):
    """Read DATA, whatever it is, and refuse options that do not go with it."""
    path = arguments.data
    if not path.exists():
        raise BadInput(f"{path} does not exist.")
    suffix = path.suffix.lower()
    is_table, is_array = suffix in _TABLES, suffix in _ARRAYS
    if path.is_dir():
        from skprune._command_line._images import read_images as read
    elif is_table:
        from skprune._command_line._tables import read_table as read
    elif is_array:
        from skprune._command_line._arrays import read_array as read
    else:
        raise BadInput(f"{path} is no folder of images, and no {', '.join(_TABLES + _ARRAYS)} file.")
    for option, fits in {
        "size": path.is_dir(),
        "gray": path.is_dir(),
        "label_column": is_table,
        "id_column": is_table,
        "array": suffix == ".npz",
    }.items():
        if getattr(arguments, option) and not fits:
            raise BadInput(f"--{option.replace('_', '-')} does not go with {path}.")
    return read(path, arguments)
