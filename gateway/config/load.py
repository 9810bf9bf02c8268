"""`config.yaml` to a Config, or to all its mistakes at once, each with its place and the way to mend it."""

from __future__ import annotations

from collections.abc import Mapping as MappingType
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.loader import Mapping, Node, Scalar, Sequence, load
from core.findings import Finding, Position
from core.locale import n_
from gateway.config.agree import check_agreement
from gateway.config.complain import check_shape
from gateway.config.env import fill, read_environment
from gateway.config.model import Config


def load_config(path: Path, environ: MappingType[str, str]) -> tuple[Config | None, list[Finding]]:
    """Read and check a configuration. None when it has errors; warnings alone leave it usable."""
    try:
        source = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return None, [
            Finding(
                at=Position(str(path)),
                code="C100",
                what=n_("the file cannot be read: {reason}"),
                values={"reason": error.strerror or str(error)},
                mend=n_("give its place with --config FILE"),
            )
        ]
    except UnicodeDecodeError:
        return None, [Finding(at=Position(str(path)), code="C100", what=n_("the file is not UTF-8 text"))]
    return read_config(source, path, environ)


def read_config(source: str, path: Path, environ: MappingType[str, str]) -> tuple[Config | None, list[Finding]]:
    """The same from the text of the file."""
    findings: list[Finding] = []
    root = load(source, str(path), findings.append)
    if findings:
        return None, findings
    if not isinstance(root, Mapping):
        at = root.at if root else Position(str(path))
        return None, [Finding(at=at, code="C101", what=n_("the file must be a map of settings"))]
    filler = _Filler(read_environment(path, environ), findings)
    data = filler.plain(root)
    folder = path.absolute().parent
    try:
        config = Config.model_validate({**data, "root": str(folder)}, context={"root": folder})
    except ValidationError as error:
        unset = {finding.at for finding in findings}  # an empty value of theirs is no second mistake
        return None, _sorted([*findings, *(one for one in check_shape(error, root) if one.at not in unset)])
    findings.extend(check_agreement(config, root))
    bad = any(finding.level == "error" for finding in findings)
    return (None if bad else config), _sorted(findings)


def _sorted(findings: list[Finding]) -> list[Finding]:
    """In the order of the file, each mistake once."""
    distinct = {(finding.at, finding.code, finding.what): finding for finding in reversed(findings)}
    return [distinct[key] for key in sorted(distinct)]


class _Filler:
    """Nodes to plain data, with the environment's values in their places."""

    def __init__(self, environment: MappingType[str, str], findings: list[Finding]) -> None:
        self._environment = environment
        self._findings = findings

    def plain(self, node: Node) -> Any:
        if isinstance(node, Mapping):
            return {key: self.plain(value) for key, (_, value) in node.items.items()}
        if isinstance(node, Sequence):
            return [self.plain(item) for item in node.items]
        assert isinstance(node, Scalar)
        return self.scalar(node)

    def scalar(self, node: Scalar) -> Any:
        if "${" not in node.text:
            return node.value
        text, missing = fill(node.text, self._environment)
        for name in missing:
            self._findings.append(
                Finding(
                    at=node.at,
                    code="C120",
                    length=node.length,
                    values={"name": name, "place": "${" + name + ":-}"},
                    what=n_("the environment variable {name} is not set"),
                    mend=n_("set it, or give a default: {place}"),
                )
            )
        return text
