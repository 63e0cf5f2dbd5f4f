"""The GAN: networks, objectives, augmentation and training. Its discriminator is the features."""
