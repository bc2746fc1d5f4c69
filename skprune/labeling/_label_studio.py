"""Tasks of Label Studio with pseudo-labels filled in, and the labeling setup that fits them."""

from html import escape

from sklearn.utils.validation import check_is_fitted

import skprune
from skprune._utils._by_row import list_by_row
from skprune._utils._labels import is_null
from skprune._utils._parameter_checks import check_option
from skprune.labeling._proposals import proposals_of

FROM_NAME, TO_NAME, ID_FIELD = "label", "item", "row_id"
_KINDS = {"image": "Image", "text": "Text", "table": "Table"}


def label_studio_config(classes, kind="image"):
    """Make the labeling setup of a Label Studio project for the tasks of :func:`label_studio_tasks`.

    Parameters
    ----------
    classes : array-like
        The classes to choose from, such as ``pruner.classes_``.
    kind : {"image", "text", "table"}, default="image"
        What is shown of each row: an image, a text, or the cells of a line of a table.

    Returns
    -------
    str
        The setup, to be pasted into the settings of the project.

    Examples
    --------
    >>> from skprune.labeling import label_studio_config
    >>> print(label_studio_config(["cat", "dog"]))
    <View>
      <Image name="item" value="$image"/>
      <Choices name="label" toName="item" choice="single">
        <Choice value="cat"/>
        <Choice value="dog"/>
      </Choices>
    </View>
    """
    check_option("kind", kind, tuple(_KINDS))
    choices = "".join(f'    <Choice value="{escape(str(name))}"/>\n' for name in classes)
    return (
        f'<View>\n  <{_KINDS[kind]} name="{TO_NAME}" value="${kind}"/>\n'
        f'  <Choices name="{FROM_NAME}" toName="{TO_NAME}" choice="single">\n{choices}  </Choices>\n</View>'
    )


def label_studio_tasks(pruner, data, *, kind="image", rows=None, names=None):
    """Make tasks of Label Studio from what to label next, the pseudo-label of each filled in.

    Write them with :func:`json.dump`, and import the file into a project with the setup of :func:`label_studio_config`. What
    the project exports as JSON or CSV, :func:`read_answers` reads.

    Parameters
    ----------
    pruner : SemiPrune
        A fitted pruner.
    data : array-like of shape (n_samples,)
        What Label Studio shows of each row of the pool: the URL of an image, a text, or a dict of the cells of a line.
    kind : {"image", "text", "table"}, default="image"
        Which of these it is.
    rows : array-like of int, default=None
        The rows to label, such as ``AnnotationLoop.ask()`` returns; None takes ``annotation_indices_``.
    names : array-like of shape (n_samples,), default=None
        What to call each row of the pool, in the order of the rows; None calls it by its number.

    Returns
    -------
    list of dict
        The tasks in the order of proposal. Their data hold ``row_id``, the name of the row; ``rank``, from 1; ``difficulty``;
        ``why``; and what is shown. Their prediction is the pseudo-label, its score the probability that it is correct.

    Raises
    ------
    ValueError, TypeError
        `data` or `names` are too few or too many, names of `rows` are missing or not unique, `kind` is unknown, or `rows` are no
        numbers of rows.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import SGDClassifier
    >>> from sklearn.semi_supervised import LabelSpreading
    >>> from skprune import SemiPrune
    >>> from skprune.datasets import make_partial_labels
    >>> from skprune.labeling import label_studio_tasks
    >>> iris = load_iris(as_frame=True)
    >>> y = make_partial_labels(iris.target.to_numpy(), n_labeled=15, random_state=0)
    >>> proxy = SGDClassifier(loss="log_loss")
    >>> pruner = SemiPrune(budget=5, labeler=LabelSpreading(), proxy=proxy, random_state=0).fit(iris.data, y)
    >>> tasks = label_studio_tasks(pruner, iris.data.to_dict("records"), kind="table")
    >>> [task["data"]["rank"] for task in tasks]
    [1, 2, 3, 4, 5]
    """
    check_option("kind", kind, tuple(_KINDS))
    check_is_fitted(pruner)
    data = list_by_row(data, len(pruner.support_), "data")
    proposals, rows = proposals_of(pruner, rows, names)
    return [
        _task(proposal, rank, kind, data[int(row)])
        for rank, (proposal, row) in enumerate(zip(proposals, rows, strict=True), 1)
    ]


def _task(proposal, rank, kind, shown):
    choice = {
        "from_name": FROM_NAME,
        "to_name": TO_NAME,
        "type": "choices",
        "value": {"choices": [proposal.pseudo_label]},
    }
    facts = {ID_FIELD: proposal.id, "rank": rank, "difficulty": proposal.difficulty, "why": proposal.why}
    prediction = {"model_version": f"skprune {skprune.__version__}", "score": proposal.confidence, "result": [choice]}
    if isinstance(shown, dict):  # JSON knows no NaN
        shown = {name: None if is_null(cell) else cell for name, cell in shown.items()}
    return {"data": facts | {kind: shown}, "predictions": [prediction]}
