"""The machinery of the site: pages, blocks, figures, build, serve. Not part of the package."""
