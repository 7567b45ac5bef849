"""Things on AWS, a file each: how one is read, compared with what should stand, written and deleted."""
