"""What all faces say in the areas beside the wizard."""
