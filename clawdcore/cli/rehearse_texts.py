"""What people write in a rehearsal: texts of our own, from a word to a paragraph.

``{n}`` becomes a number, so that few texts are the same and few answers can be shared.
"""

from __future__ import annotations

from typing import Final

QUESTIONS: Final = (
    "Hi! {n}",
    "What is {n} times 7?",
    "Name {n} as a Roman numeral.",
    "How many minutes are {n} hours?",
    "Give me a name for a boat with {n} sails.",
    "Why is the sky blue? Answer in at most {n} words.",
    "Is {n} a prime number? Explain in one sentence how you know.",
    "Write a polite note to my neighbours: on the {n}th I will drill holes in the wall.",
    "I have {n} eggs, flour, milk and some cheese. What can I cook for four people tonight?",
    "How would you explain to a child of {n} years why the moon changes its shape in a month?",
    "Plan an afternoon in a town that I don't know, with a budget of {n} euros. I like old "
    "bridges, good bread and quiet places, and I walk slowly. It may rain.",
    "We meet at {n} o'clock in the small room on the second floor. The printer there is out of "
    "paper, the window doesn't close, and the key is at the front desk. Make a short list of what "
    "I should do before the others come, in the order in which I should do it, please.",
    "Summarise in two sentences: The library in our street was built in 19{n}. For a long time it "
    "had one room, one stove and one librarian, who knew every book and every reader. Then the "
    "school closed, the families moved away, and the town wanted to sell the house. The readers "
    "collected signatures, painted the walls, repaired the roof on Saturdays, and offered to run "
    "it themselves. Since then it has opened on four afternoons a week, there is coffee, and on "
    "the first Friday of each month somebody reads aloud from a book that nobody else has read.",
)
"""Asked of the model; the longest has about 700 characters."""

SENTENCES: Final = (
    "Good morning number {n}!",
    "The train to the coast leaves from platform {n}.",
    "Please bring {n} chairs to the garden before it gets dark, and close the gate behind you.",
    "Our flat has {n} square metres, two balconies and a kitchen in which nobody ever cooked; the "
    "owner wants to sell it in spring and is looking for somebody who likes stairs.",
)
"""To be translated."""

LANGUAGES: Final = ("french", "german", "spanish", "chinese")

CHATTER: Final = (
    "I'm late, {n} minutes",
    "ok",
    "Who has the keys?",
    "See you on the {n}th then, I'll bring the cake and the good knife.",
)
"""Said among people in a group, and not to the bot."""
