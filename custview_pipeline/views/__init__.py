"""What consumers read: core, extended and peripheral views."""
