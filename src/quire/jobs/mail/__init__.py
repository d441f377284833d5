"""Mail: its content, its recipients and its delivery."""
