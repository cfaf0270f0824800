"""Pure builders of argv, environment and queries; nothing here runs them."""
