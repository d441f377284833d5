"""WordPress exports (WXR)."""
