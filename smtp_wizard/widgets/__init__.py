"""The parts that screens are made of. Words from outside come in cleaned; nothing here reads markup from them.

States are words or signs first and colours second, so that everything can be read without colour and on a console with
few signs. Nothing blinks or turns: an idle screen sends not one byte.
"""
