"""Is the accusation about the head of the school, or is the head only told of one?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy.matching.organisations import Organisation
from monitor.policy.routes.about_head import about_head

SCHOOL = Organisation(
    id="wren", name="Wrenfold School", town="Wrenfold", headteacher="Mrs Orla Pendrick"
)

ABOUT = [
    "The headteacher hit my daughter in the corridor.",
    "The head at Wrenfold is a bully, ask any of the staff.",
    "Our head has been grooming sixth formers for years.",
    "Mrs Pendrick grabbed a child by the arm at home time.",
    "Orla Pendrick has been fiddling the attendance figures!",
    "allegations of assault against the principal of Wrenfold",
    "My son was dragged out of assembly by the head teacher.",
    "Headteacher at Wrenfold arrested last night",
    "The head has been suspended, about time.",
    "the headmistress screamed at a six year old",
    "Staff are being bullied by the headteacher and leaving in droves.",
    "It was the head who slapped him.",
    "Everybody knows the principal turned up drunk to sports day.",
    "The acting head is sending inappropriate private messages to girls.",
    "I told the head about it and she covered it up.",
    "We reported the teacher to the headteacher. They hushed it up.",
    "Is it true that the head of school stole money from the PTA?",
    "Ms Pendrick's bullying of staff has to stop",
    "a complaint about the head's racist remarks, harassment of staff",
    "Mrs O. Pendrick? Dr Pendrick assaulted my nephew.",
    "THE HEADTEACHER LIED TO OFSTED",
    "Executive head accused of fraud at Wrenfold",
]
NOT_ABOUT = [
    "A teacher hit my son, and I told the headteacher.",
    "Mr Brack hit my son on the head.",
    "My boy was punched in the head by another kid.",
    "The deputy head grabbed my daughter.",
    "The assistant headteacher is a bully.",
    "The vice principal is a bully.",
    "The head of year slapped him.",
    "The head of maths was arrested.",
    "Thanks to the head for acting on the bullying so quickly.",
    "The head suspended the teacher who hit him.",
    "The headteacher called the police about the assault.",
    "The head has been brilliant since my son was bullied.",
    "Spoke to the head about the bullying, waiting to hear.",
    "Somebody threatened the headteacher at the gate.",
    "I'm going to punch that head if he rings me again.",
    "Head lice in Year 2 again.",
    "Head boy arrested for shoplifting",
    "The former head was convicted of fraud.",
    "The previous headteacher was a bully, it's much better now.",
    "Mr Pendrickson hit him",
    "The caretaker is stealing lead off the roof.",
    "The TA at Wrenfold is abusive to the little ones.",
    "He hit his head on the radiator and nobody rang me.",
    "The principal reason for the harassment was envy.",
    "The headteacher never rings back.",
    "The head announced an investigation into the exam cheating.",
    "",
]


@pytest.mark.parametrize("text", ABOUT)
def test_the_head_is_meant(text: str) -> None:
    """An accusation with the head as who does it, or hides it."""
    assert about_head(text, SCHOOL)


@pytest.mark.parametrize("text", NOT_ABOUT)
def test_somebody_else_is_meant(text: str) -> None:
    """The head is told, thanked, attacked, at work, or not the one who is accused."""
    assert not about_head(text, SCHOOL)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What the headteacher did to that child is unforgivable.", True),
        ("Mrs Pendrick should never be alone with pupils.", True),
        ("My son was hurt by his teacher. The head looked away.", True),
        ("A teacher hurt my son and I went to the head with it.", False),
        ("The deputy head should never be alone with pupils.", False),
        ("That teacher should never be alone with pupils.", False),
    ],
)
def test_an_allegation_by_the_classifier(text: str, expected: bool) -> None:
    """When the classifier says that it is one, only whom it is about is asked; in doubt, the head."""
    assert about_head(text, SCHOOL, accused=True) is expected


def test_names_from_the_list_of_people() -> None:
    """A head whom only the configuration of people knows; a surname alone names nobody."""
    bare = SCHOOL.model_copy(update={"headteacher": None})
    said = "Mr Tolvery slapped a pupil"
    assert not about_head(said, bare)
    assert about_head(said, bare, ["Piers Tolvery"])
    assert about_head("Piers Tolvery slapped a pupil", bare, ["Piers Tolvery"])
    assert not about_head("Green slapped a pupil", bare, ["Mr Green"])


@given(st.text(max_size=200), st.booleans())
def test_any_text_is_answered(text: str, accused: bool) -> None:
    """No text breaks it, and what names no head is about none."""
    found = about_head(text, SCHOOL, accused=accused)
    if "head" not in text.casefold() and "principal" not in text.casefold():
        assert not found or "pendrick" in text.casefold()
