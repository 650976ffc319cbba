"""The vocabulary of the shipped family: what is drawn, in which style, on what.

A content is written `slug` or `slug=name`, where the slug is the picture's name in the icon packages and
the name is the word captions use. The lists are chosen so that no two contents look alike; the second
part of them is in `more_contents`.
"""

from dataclasses import dataclass
from typing import Literal

from studio.starter.pictures.more_contents import MORE_ANIMALS, MORE_FACES, MORE_OBJECTS

Group = Literal["face", "animal", "object"]

STYLES: dict[str, str] = {
    "flat": "@iconify-json/fluent-emoji-flat@1.2.6",
    "glossy": "@iconify-json/fluent-emoji@1.2.7",
    "noto": "@iconify-json/noto@1.2.9",
    "tweet": "@iconify-json/twemoji@1.2.5",
}
HELD_OUT_STYLES: dict[str, str] = {
    "blob": "@iconify-json/noto-v1@1.2.5",
    "fox": "@iconify-json/fxemoji@1.2.2",
}
LABELS = "emojibase-data@17.0.0"

BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "gray": (136, 136, 136),
    "black": (26, 26, 30),
    "red": (214, 48, 49),
    "orange": (246, 146, 52),
    "yellow": (250, 220, 90),
    "green": (76, 168, 92),
    "blue": (66, 118, 222),
    "purple": (132, 78, 184),
    "pink": (250, 180, 204),
}

_FACES = """
smiling-face-with-sunglasses=sunglasses face, smiling-face-with-heart-eyes=heart eyes face,
face-with-tears-of-joy=laughing face, loudly-crying-face=crying face, angry-face, sleeping-face,
winking-face-with-tongue=tongue face, face-with-medical-mask=mask face, cowboy-hat-face=cowboy face,
clown-face=clown, robot, alien, ghost, skull, ogre, angry-face-with-horns=devil face,
smiling-face-with-halo=angel face, nauseated-face=sick face, hot-face, cold-face, star-struck=starry face,
money-mouth-face=money face, nerd-face, face-screaming-in-fear=scared face, pile-of-poo=poo,
upside-down-face
"""

_HELD_OUT_FACES = """
grinning-face, grinning-squinting-face, winking-face, smiling-face-with-hearts, face-blowing-a-kiss,
face-savoring-food, zany-face, thinking-face, shushing-face, face-with-raised-eyebrow, expressionless-face,
smirking-face, grimacing-face, lying-face, drooling-face, face-with-thermometer, face-with-head-bandage,
woozy-face, exploding-head, partying-face, disguised-face, face-with-monocle, astonished-face, flushed-face,
pleading-face, yawning-face, goblin
"""

_ANIMALS = """
cat-face, dog-face, lion, owl, penguin, elephant, frog, panda, fox, rabbit-face=rabbit, pig-face=pig,
cow-face=cow, monkey-face=monkey, tiger-face=tiger, koala, butterfly, lady-beetle=ladybug, honeybee=bee, spider,
snail, octopus, crab, tropical-fish=fish, spouting-whale=whale, turtle, parrot, rooster, duck, unicorn, zebra,
front-facing-baby-chick=chick, bear
"""

_HELD_OUT_ANIMALS = """
wolf, raccoon, hamster, mouse-face, horse-face, polar-bear, dragon-face, crocodile, camel, kangaroo, llama,
sloth, otter, skunk, badger, swan, flamingo, peacock, eagle, bat, lobster, squid, shrimp, jellyfish, seal,
scorpion, t-rex, sauropod, rhinoceros, hippopotamus, gorilla, deer
"""

_OBJECTS = """
red-heart=heart, red-apple=apple, banana, cherries, grapes, lemon, tangerine=orange, pear, pineapple,
watermelon, tomato, avocado, eggplant, carrot, ear-of-corn=corn, broccoli, pizza, hamburger,
french-fries=fries, hot-dog, taco, doughnut, ice-cream, birthday-cake=cake, cupcake, lollipop, croissant,
pretzel, cheese-wedge=cheese, cooking=fried egg, popcorn, honey-pot=honey, beer-mug=beer, wine-glass=wine,
cocktail-glass=cocktail, hot-beverage=coffee, glass-of-milk=milk, sunflower, rose, tulip, hibiscus,
evergreen-tree=pine tree, palm-tree, four-leaf-clover=clover, maple-leaf, christmas-tree, mushroom, sun,
crescent-moon=moon, star, cloud, rainbow, snowflake, fire, droplet=water drop, umbrella, snowman,
ringed-planet=planet, high-voltage=lightning, globe-showing-americas=earth, automobile=car, bus, ambulance,
tractor, bicycle, motor-scooter=scooter, rocket, airplane, flying-saucer=ufo, sailboat, delivery-truck=truck,
vertical-traffic-light=traffic light, stop-sign, fuel-pump, ring-buoy=lifebuoy, house, church, tent, volcano,
mount-fuji=mountain, ferris-wheel, circus-tent=circus, crown, top-hat, graduation-cap, glasses, t-shirt=shirt,
jeans, dress, socks, gloves, high-heeled-shoe=high heel, running-shoe=sneaker, handbag, ring,
gem-stone=diamond, necktie=tie, guitar, trumpet, drum, saxophone, accordion, microphone, headphone=headphones,
musical-note, bell, camera, television, laptop, light-bulb, candle, alarm-clock=clock,
hourglass-done=hourglass, watch, key, locked=lock, wrapped-gift=gift, kite, trophy, game-die=die, joystick,
puzzle-piece, bullseye=target, soccer-ball=football, basketball, tennis=tennis ball, bowling, boxing-glove,
books, open-book, envelope, package=box, pencil, artist-palette=palette, scissors, paperclip, hammer, magnet,
gear, bomb, shield, crossed-swords=swords, bow-and-arrow=bow, telescope, toilet, door, bed, chair, broom,
ladder, coin, jack-o-lantern=pumpkin, nazar-amulet=amulet, tooth, brain, eye, thumbs-up, santa-claus=santa,
astronaut, police-officer=policeman
"""

_HELD_OUT_OBJECTS = """
strawberry, helicopter, violin, cactus, teapot, anchor, balloon, castle
"""

HERO_SLUG = "ninja"
HERO_WORD = "hero"


@dataclass(frozen=True)
class Content:
    """One thing that can be drawn: its slug in the packages, its caption name, its group."""

    slug: str
    name: str
    group: Group
    held_out: bool


def _parse(text: str, group: Group, held_out: bool) -> list[Content]:
    contents = []
    for entry in text.replace("\n", " ").split(","):
        slug, _, name = entry.strip().partition("=")
        contents.append(Content(slug, name or slug.replace("-", " "), group, held_out))
    return contents


CONTENTS: tuple[Content, ...] = (
    *_parse(_FACES, "face", False),
    *_parse(_ANIMALS, "animal", False),
    *_parse(_OBJECTS, "object", False),
    *_parse(MORE_FACES, "face", False),
    *_parse(MORE_ANIMALS, "animal", False),
    *_parse(MORE_OBJECTS, "object", False),
)
HELD_OUT: tuple[Content, ...] = (
    *_parse(_HELD_OUT_FACES, "face", True),
    *_parse(_HELD_OUT_ANIMALS, "animal", True),
    *_parse(_HELD_OUT_OBJECTS, "object", True),
    Content(HERO_SLUG, HERO_WORD, "object", True),
)
