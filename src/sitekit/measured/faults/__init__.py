"""Known ways to lose or leak a mask, each with a healthy twin."""
