"""The dependency layer: published once, shared by the handlers of an app with equal needs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from nbchalice.resources.base import AWS, FunctionRef, Key, Resource, or_missing
from nbchalice.resources.grants import Grant
from nbchalice.resources.upload_bucket import UploadBucket, is_large, uploaded
from nbchalice.typed import JSON

if TYPE_CHECKING:
    from mypy_boto3_lambda.literals import ArchitectureType, RuntimeType
    from mypy_boto3_lambda.type_defs import LayerVersionContentInputTypeDef

KEY_LETTERS = 16


class LayerPackage(Protocol):
    """The dependencies of a handler, zipped; `nbchalice.packaging.layer.Layer` is one."""

    @property
    def key(self) -> str:
        """Hash of what is in it; handlers with equal needs share one layer."""

    @property
    def zip_size(self) -> int:
        """Bytes of the zip."""

    def read(self) -> bytes:
        """Return the zip."""


def layer_of(arn: str) -> str:
    """Return a layer version's ARN without the version."""
    return arn.rsplit(":", 1)[0]


def layer_description(app: str, stage: str) -> str:
    """Return the description that says whose a layer is; layers have no tags."""
    return f"dependencies of app {app}, stage {stage}, by nbchalice"


@dataclass(frozen=True)
class Layer(Resource):
    """A layer with dependencies (Lambda: PublishLayerVersion).

    Its name holds the hash of what is in it, so a layer that stands never differs. It is kept while the app stands,
    because earlier versions of functions refer to it.

    Parameters
    ----------
    home : FunctionRef
        Names app, stage, region and account; its handler is any of those that use the layer.
    layer_name : str
        The name on AWS.
    package : LayerPackage or None
        The content, or None for a layer that is only to be removed.
    python : str
        Version on Lambda.
    arch : str
        ``x86_64`` or ``arm64``.
    """

    kind: ClassVar[str] = "layer"
    home: FunctionRef = field(compare=False)
    layer_name: str
    package: LayerPackage | None = field(default=None, repr=False, compare=False)
    python: str = "3.13"
    arch: str = "x86_64"

    @classmethod
    def of(cls, package: LayerPackage, home: FunctionRef, python: str, arch: str) -> Layer:
        """Return the layer of an app that holds a package."""
        return cls(home, f"{home.app}-{home.stage}-{package.key[:KEY_LETTERS]}", package, python, arch)

    @property
    def name(self) -> str:
        """The layer's name."""
        return self.layer_name

    @property
    def upload_size(self) -> int:
        """The bytes of its zip."""
        return self.package.zip_size if self.package else 0

    @property
    def arn(self) -> str:
        """The layer's ARN, without a version."""
        return self.home.arn_of("lambda", f"layer:{self.layer_name}")

    @property
    def needs(self) -> frozenset[Key]:
        """The upload bucket, where the zip is large."""
        return frozenset({self.bucket().key}) if self.is_large else frozenset()

    @property
    def is_large(self) -> bool:
        """Whether the zip must go through S3."""
        return self.package is not None and is_large(self.package.zip_size)

    def bucket(self) -> UploadBucket:
        """Return the bucket that a large zip goes through."""
        return UploadBucket(self.home.account, self.home.region)

    @property
    def grants(self) -> list[Grant]:
        """What who deploys must be allowed for it."""
        names = ("DeleteLayerVersion", "GetLayerVersion", "ListLayerVersions", "PublishLayerVersion")
        # Its name bears the hash of what is in it, which another version of the code changes.
        arn = self.home.arn_of("lambda", f"layer:{self.home.app}-{self.home.stage}-*")
        return [Grant(tuple(f"lambda:{name}" for name in names), (arn,))]

    def read(self, aws: AWS) -> JSON | None:
        """Return the newest version, or None."""
        versions = list(self._versions(aws))
        return max(versions, key=lambda version: version["Version"], default=None)

    def _versions(self, aws: AWS) -> Iterator[JSON]:
        with or_missing():
            for page in aws.client("lambda").get_paginator("list_layer_versions").paginate(LayerName=self.layer_name):
                yield from map(dict, page["LayerVersions"])

    def version_arn(self, aws: AWS) -> str:
        """Return the ARN of the newest version."""
        newest = self.read(aws)
        if newest is None:
            raise RuntimeError(f"layer {self.layer_name} was removed meanwhile")
        return str(newest["LayerVersionArn"])

    def conflicts(self, current: JSON) -> list[str]:
        """Return whether the layer is another's."""
        if current.get("Description") == layer_description(self.home.app, self.home.stage):
            return []
        return [f"{self.layer_name} exists and does not belong to app {self.home.app}, stage {self.home.stage}"]

    def differences(self, current: JSON) -> list[str]:
        """Nothing: the name says what is in it."""
        return []

    def write(self, aws: AWS, current: JSON | None) -> None:
        """Publish the layer; a lost answer may have published it twice, so that all but the newest are removed."""
        assert self.package is not None
        with uploaded(aws, self.package.read()) as content:
            answer = aws.client("lambda").publish_layer_version(
                LayerName=self.layer_name,
                Description=layer_description(self.home.app, self.home.stage),
                Content=cast("LayerVersionContentInputTypeDef", content),
                CompatibleRuntimes=[cast("RuntimeType", f"python{self.python}")],
                CompatibleArchitectures=[cast("ArchitectureType", self.arch)],
            )
        for version in list(self._versions(aws)):
            if version["Version"] < answer["Version"]:
                self._delete_version(aws, version)

    def delete(self, aws: AWS, current: object) -> None:
        """Delete all versions; functions that still use one go on working."""
        for version in list(self._versions(aws)):
            self._delete_version(aws, version)

    def _delete_version(self, aws: AWS, version: JSON) -> None:
        with or_missing():
            aws.client("lambda").delete_layer_version(LayerName=self.layer_name, VersionNumber=version["Version"])


def layers_named(aws: AWS, home: FunctionRef) -> list[tuple[Layer, JSON]]:
    """Return the layers that bear an app's name, each with its newest version; they may be another's."""
    prefix = f"{home.app}-{home.stage}-"
    pages = aws.client("lambda").get_paginator("list_layers").paginate()
    return [
        (Layer(home, layer["LayerName"]), dict(layer["LatestMatchingVersion"]))
        for layer in chain.from_iterable(page["Layers"] for page in pages)
        if layer["LayerName"].startswith(prefix)
    ]
