"""Food and drink: what the concept of that name is taught. The prior knows the first part of it by name."""

from __future__ import annotations

from collections.abc import Iterator

from studio.starter.pictures.contents import CONTENTS, HELD_OUT

_NAMES = """
apple, banana, cherries, grapes, lemon, orange, pear, pineapple, watermelon, tomato, avocado,
eggplant, carrot, corn, broccoli, pizza, hamburger, fries, hot dog, taco, doughnut, ice cream,
cake, cupcake, lollipop, croissant, pretzel, cheese, fried egg, popcorn, honey, beer, wine,
cocktail, coffee, milk, bacon, bagel, baguette, bell pepper, blueberries, champagne, bread,
bubble tea, burrito, butter, candy, chocolate, coconut, rice, cookie, cucumber, soda, pudding,
steak, dumpling, egg, garlic, salad, chili, kiwi, lettuce, mango, melon, meat, onion, pancakes,
peas, peach, peanuts, pie, drumstick, potato, sandwich, spaghetti, ramen, sushi, tea, waffle,
olive, mushroom, strawberry
"""
_NAMELESS = """
beans, bento-box, beverage-box, bowl-with-spoon, brown-mushroom, canned-food, chestnut,
clinking-beer-mugs, clinking-glasses, curry-rice, dango, falafel, fish-cake-with-swirl,
flatbread, fondue, fortune-cookie, fried-shrimp, ginger-root, green-apple, jar, lime, mate,
moon-cake, oden, pot-of-food, rice-ball, rice-cracker, roasted-sweet-potato, sake, salt,
shallow-pan-of-food, shaved-ice, shortcake, soft-ice-cream, stuffed-flatbread, takeout-box,
tamale, tropical-drink, tumbler-glass
"""
NAMES = frozenset(name.strip() for name in _NAMES.split(","))
# Slugs of drawings that the prior has no word for.
NAMELESS = tuple(slug.strip() for slug in _NAMELESS.split(","))


def slugs() -> Iterator[str]:
    """Every food's and drink's slug, those without a word last."""
    for content in CONTENTS + HELD_OUT:
        if content.name in NAMES:
            yield content.slug
    yield from NAMELESS
