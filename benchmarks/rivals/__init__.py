"""What people would use instead: other packages, or the definition written plainly; not ours to speed up."""
