"""The command `atomops`."""
