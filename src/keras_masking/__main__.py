import sys

from keras_masking.cli import main

sys.exit(main())
