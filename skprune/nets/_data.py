"""The data as one tensor on the device, and the batches drawn from it."""

import numpy as np
import torch
from torch.utils.data import Dataset

from skprune._utils._device import send
from skprune._utils._mapped import row_chunks
from skprune._utils._pool import check_magnitude
from skprune._utils._warnings import warn_user

_SAMPLED_PIXELS = 2_000_000
_PERCENTILES = (0.1, 99.9)
_SAMPLED_ROWS = 1000
_STEPS_A_COPY = 32
_MOST_SPREAD = 1e4  # of a column, in ranges of its central 98 %
_SMALLEST = 1e-150
_USUAL_RANGE = 3  # of all pixels, in ranges between the percentiles


class Scaling:
    """Standardization learned from the pool: of columns, or of image channels after pixels were brought to [0, 1]."""

    def __init__(self, low, span, mean, std, clip=False):
        self.low, self.span, self.clip = float(low), float(span), bool(clip)
        self.mean, self.std = np.asarray(mean), np.asarray(std)

    @classmethod
    def fit(cls, pool):
        """Learn the standardization."""
        check_magnitude(pool)
        if pool.ndim == 2:
            extent = np.maximum(pool.max(axis=0), -pool.min(axis=0)).astype(np.float64)
            mean, std = column_moments(pool, extent)
            _warn_of_squeezed(pool, std)
            return cls(0.0, 1.0, mean, np.where(std > 1e-12 * extent, std, 1.0))
        low, span, clip = pixel_range(pool)
        pixels = cls(low, span, 0.0, 1.0, clip)
        total = np.zeros((2, pool.shape[1]))
        for rows in row_chunks(pool, np.float64):
            part = pixels.to_unit(pool[rows].astype(np.float64))
            total += part.sum(axis=(0, 2, 3)), (part**2).sum(axis=(0, 2, 3))
        mean, square = total / (pool.size / pool.shape[1])
        std = np.sqrt(np.maximum(square - mean**2, 0.0))
        return cls(low, span, mean, np.where(std > 1e-6, std, 1.0), clip)

    def to_unit(self, images):
        """Return images with pixels in [0, 1]."""
        unit = (images - self.low) / self.span
        return unit.clip(0.0, 1.0) if self.clip else unit

    def to_tensor(self, pool):
        """Return the pool as a tensor: uint8 images as they are, float images in [0, 1], tables standardized."""
        if pool.dtype == np.uint8 and (self.low, self.span) == (0.0, 255.0):
            return torch.tensor(pool)
        scaled = np.empty(pool.shape, dtype=np.float32)
        for rows in row_chunks(pool, np.float64):
            scaled[rows] = (pool[rows] - self.mean) / self.std if pool.ndim == 2 else self.to_unit(pool[rows])
        return torch.from_numpy(scaled)


def column_moments(table, extent):
    """Return mean and standard deviation of each column, in chunks of rows; `extent` is the largest absolute value of each."""
    chunks = row_chunks(table, np.float64)
    mean = sum(table[rows].sum(axis=0, dtype=np.float64) for rows in chunks) / len(table)
    unit = np.where((extent > 0) & (extent < _SMALLEST), extent, 1.0)  # whose squares would be 0
    return mean, unit * np.sqrt(sum(np.square((table[rows] - mean) / unit).sum(axis=0) for rows in chunks) / len(table))


def _warn_of_squeezed(table, std):
    """Warn of columns whose extreme values leave nearly no difference between the others."""
    rows = np.sort(table[:: -(-len(table) // _SAMPLED_ROWS)], axis=0)
    cut = -(-len(rows) // 100)
    if len(rows) <= 2 * cut:
        return
    usual = rows[-1 - cut].astype(np.float64) - rows[cut]
    squeezed = (usual > 0) & (std > _MOST_SPREAD * usual)
    if squeezed.any():
        column = int(squeezed.argmax())
        row = int(np.abs(table[:, column]).argmax())
        warn_user(
            f"Column {column} of X holds values so extreme, such as {table[row, column]:.3g} in row {row}, that the others look "
            f"equal to a net ({int(squeezed.sum())} such columns). Mend or clip them, or take logarithms."
        )


def pixel_range(images):
    """Return the low end and span of the pixels, of nearly all where a few lie far out, and whether to clip those."""
    if images.dtype == np.uint8:
        return 0.0, 255.0, False
    low, span = float(images.min()), float(np.ptp(images)) or 1.0
    pixels = images.reshape(-1)
    if pixels.size > _SAMPLED_PIXELS:
        pixels = pixels[np.linspace(0, pixels.size - 1, _SAMPLED_PIXELS).astype(np.int64)]
    inner_low, inner_high = map(float, np.percentile(pixels, _PERCENTILES))
    inner_span = inner_high - inner_low
    if inner_span == 0 or span <= _USUAL_RANGE * inner_span:
        return low, span, False
    warn_user(
        f"Pixels of X range from {low:.4g} to {low + span:.4g}, but 99.8 % of them lie between {inner_low:.4g} and "
        f"{inner_high:.4g}. The others are clipped to that interval. Clip or transform X yourself if they carry information."
    )
    return inner_low, inner_span, True


class TensorPool(Dataset):
    """A pool on the device; `codes` are the labels `y` on the host, where batches are composed."""

    def __init__(self, X, codes, scaling):
        self.X = X
        self.codes = torch.zeros(len(X), dtype=torch.int64) if codes is None else codes
        self.y = self.codes.to(X.device)
        channels = (1, -1, 1, 1)
        self._image = X.ndim == 4
        if self._image:
            self._mean = torch.tensor(scaling.mean, dtype=torch.float32, device=X.device).view(channels)
            self._std = torch.tensor(scaling.std, dtype=torch.float32, device=X.device).view(channels)

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index], self.y[index]

    def raw(self, rows):
        """Return rows as augmentation reads them: images in [0, 1], table rows standardized."""
        x = self.X[rows]
        return x.float() / 255.0 if x.dtype == torch.uint8 else x

    def finish(self, x):
        """Standardize images that were in [0, 1], in the channels-last layout; table rows pass."""
        if not self._image:
            return x
        return ((x - self._mean) / self._std).contiguous(memory_format=torch.channels_last)


class EvalBatches:
    """Batches in the order of the rows, without augmentation."""

    def __init__(self, pool, batch_size):
        self.pool, self.batch_size = pool, batch_size

    def __len__(self):
        return -(-len(self.pool) // self.batch_size)

    def __iter__(self):
        for start in range(0, len(self.pool), self.batch_size):
            rows = slice(start, start + self.batch_size)
            yield self.pool.finish(self.pool.raw(rows)), self.pool.y[rows]


class ResumableBatches:
    """Batches that may begin within an epoch, after those that a run before has drawn."""

    _first = 0

    def state_dict(self):
        """Return the state of the noise; the order follows from the seed and the number of steps."""
        return {"noise": self._noise.get_state()}

    def resume(self, state, n_epochs, n_steps):
        """Skip so many epochs, and steps of the next one."""
        self._skip(n_epochs, n_steps)
        self._first = n_steps
        self._noise.set_state(state["noise"])

    def _take_first(self):
        """Return the step with which the coming epoch begins; those after it begin with the first."""
        first, self._first = self._first, 0
        return first


class TrainBatches(ResumableBatches):
    """Shuffled, augmented batches of a labeled pool; each batch carries the index of its rows."""

    def __init__(self, pool, batch_size, n_steps, augment, seed):
        self.pool, self.batch_size, self.n_steps, self.augment = pool, batch_size, n_steps, augment
        self._order = torch.Generator().manual_seed(seed)
        self._noise = torch.Generator().manual_seed(seed)
        self._stream = index_stream(torch.arange(len(pool)), batch_size, self._order)

    def __len__(self):
        return self.n_steps or n_batches(len(self.pool), self.batch_size)

    def __iter__(self):
        for rows in self._epoch():
            x = self.pool.raw(rows)
            if self.augment is not None:
                x = self.augment(x, self._noise)
            yield {"X": self.pool.finish(x), "index": rows}, self.pool.y[rows]

    def _epoch(self):
        first = self._take_first()
        if self.n_steps is None:
            order = torch.randperm(len(self.pool), generator=self._order)
            return send(order, self.pool.X.device).tensor_split(len(self))[first:]
        return on_device(self._stream, self.n_steps - first, self.pool.X.device)

    def _skip(self, n_epochs, n_steps):
        if self.n_steps is None:
            for _ in range(n_epochs):
                torch.randperm(len(self.pool), generator=self._order)
        else:
            for _ in range(n_epochs * self.n_steps + n_steps):
                next(self._stream)


def n_batches(n_rows, batch_size):
    """Return the number of batches of nearly equal size in an epoch, none of a single row: batch norm needs two."""
    return max(1, min(-(-n_rows // batch_size), n_rows // 2))


def on_device(stream, n_steps, device):
    """Yield so many batches of indices of a stream, on the device: one copy serves many steps."""
    for start in range(0, n_steps, _STEPS_A_COPY):
        ahead = [next(stream) for _ in range(min(_STEPS_A_COPY, n_steps - start))]
        yield from send(torch.stack(ahead), device)


def index_stream(rows, size, generator, codes=None):
    """Yield batches of exactly `size` indices forever: one shuffled pass after another."""
    waiting = rows[:0]
    while True:
        while len(waiting) < size:
            shuffled = _one_pass(rows, generator, codes)
            if len(waiting) and size <= len(rows) and codes is None:
                in_batch = torch.isin(shuffled, waiting)
                shuffled = torch.cat([shuffled[~in_batch], shuffled[in_batch]])
            waiting = torch.cat([waiting, shuffled])
        yield waiting[:size]
        waiting = waiting[size:]


def _one_pass(rows, generator, codes):
    if codes is not None:
        largest = int(codes.bincount().max())
        classes = [rows[codes == code] for code in codes.unique()]
        rows = torch.cat([_repeated(members, largest, generator) for members in classes])
    return rows[torch.randperm(len(rows), generator=generator)]


def _repeated(rows, size, generator):
    passes = [rows[torch.randperm(len(rows), generator=generator)] for _ in range(-(-size // len(rows)))]
    return torch.cat(passes)[:size]
