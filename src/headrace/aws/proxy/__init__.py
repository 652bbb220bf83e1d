"""An HTTPS proxy on loopback that answers `*.amazonaws.com` itself and passes every other host through untouched."""

from headrace.aws.proxy.certificates import Authority
from headrace.aws.proxy.tunnels import Proxy

__all__ = ["Authority", "Proxy"]
