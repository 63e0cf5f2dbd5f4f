"""Learn features of marks, embed them, index them, search them."""
