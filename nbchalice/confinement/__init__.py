"""What the kernel can keep a process from: for the notebook's runs, and for the handlers of the local AWS."""
