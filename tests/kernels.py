"""Real kernels."""

from jupyter_client.manager import KernelManager


def start_kernel(folder):
    """Start a kernel in a folder; return its manager, and a client that is ready."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    client.wait_for_ready(timeout=120)
    return manager, client
