"""Its place puts this folder on the path, so that `subrosa_vault` is found without installing."""
