"""The sections about the run itself: times, settings, versions."""

import inspect
import os
import platform
from importlib.metadata import version

import skprune
from skprune._report_page._elements import element, facts, section, table
from skprune._utils._adapters import is_net

_PACKAGES = ("numpy", "scipy", "scikit-learn", "torch", "torchvision", "skorch", "joblib")


def times(findings):
    """Return the section of how long each stage took."""
    seconds, cut = findings.pruner.stage_seconds_, findings.pruner.cut_stages_
    lines = [
        [stage, f"{taken:,.1f} s", f"ended after {cut[stage]}" if stage in cut else ""]
        for stage, taken in [*seconds.items(), ("all", sum(seconds.values()))]
    ]
    text = "A stage that was found in memory or in a checkpoint took as long as it was read."
    if cut:
        text += " Where a stage ended early, time_limit was over."
    listed = table(["stage", "time", ""], lines, caption="Time of each stage of the fit", numbers={"time"})
    return section("Times", listed, element("p", text, class_="note"))


def settings(findings):
    """Return the section of the parameters, those that are no defaults first."""
    pruner = findings.pruner
    defaults = {name: parameter.default for name, parameter in inspect.signature(type(pruner)).parameters.items()}
    shown = {name: repr(value) for name, value in pruner.get_params(deep=False).items()}
    changed = {name for name, value in shown.items() if value != repr(defaults[name])}
    lines = [
        [name, element("code", shown[name]), "" if name in changed else "default"]
        for name in sorted(shown, key=lambda name: (name not in changed, name))
    ]
    return section(
        "Settings",
        element("pre", repr(pruner), tabindex="0"),
        table(["parameter", "value", ""], lines, caption="All parameters"),
    )


def versions(findings):
    """Return the section of the versions that the page was written with."""
    proxy = findings.pruner.proxy_
    pairs = [("skprune", skprune.__version__), ("Python", platform.python_version())]
    pairs += [(name, version(name)) for name in _PACKAGES]
    pairs += [("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPUs")]
    if is_net(proxy):
        from skprune._utils._device import resolve_device

        pairs.append(("device of the proxy", str(resolve_device(proxy.device))))
    return section("Versions", facts(pairs))
