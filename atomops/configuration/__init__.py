"""How the application's configuration becomes a set, is proven, and is put back."""
