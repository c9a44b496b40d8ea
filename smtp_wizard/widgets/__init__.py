"""The parts that screens are made of. Words from outside come in cleaned; nothing here reads markup from them.

States are words or signs first and colours second, so that everything can be read without colour and on a console with
few signs. Nothing blinks or turns: an idle screen sends not one byte.
"""

from smtp_wizard.widgets.banner import Banner
from smtp_wizard.widgets.checks import MARKS, STYLES, CheckList
from smtp_wizard.widgets.choices import Choice, Choices
from smtp_wizard.widgets.fault_containment import Steady, work_once
from smtp_wizard.widgets.fields import Field, SecretInput, TextInput
from smtp_wizard.widgets.finding_card import FindingCard
from smtp_wizard.widgets.guide import GuidePane, GuideRow
from smtp_wizard.widgets.key_hints import KeyHints
from smtp_wizard.widgets.provider_picker import PickerList, ProviderPicker
from smtp_wizard.widgets.stepper import Stepper
from smtp_wizard.widgets.table import Column, Table
from smtp_wizard.widgets.text import Plain, wrapped
from smtp_wizard.widgets.transcript import Transcript
from smtp_wizard.widgets.ways import WayFields

__all__ = [
    "MARKS",
    "STYLES",
    "Banner",
    "CheckList",
    "Choice",
    "Choices",
    "Column",
    "Field",
    "FindingCard",
    "GuidePane",
    "GuideRow",
    "KeyHints",
    "PickerList",
    "Plain",
    "ProviderPicker",
    "SecretInput",
    "Steady",
    "Stepper",
    "Table",
    "TextInput",
    "Transcript",
    "WayFields",
    "work_once",
    "wrapped",
]
