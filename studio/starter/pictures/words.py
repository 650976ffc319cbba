"""Names in sentences: their articles and plurals, and other words that people use for them."""

from __future__ import annotations

# Names that stand without an article and have no plural of their own.
_UNCOUNTED = """
bacon, beer, blueberries, books, bowling, bread, broccoli, butter, champagne, cheese, cherries, chocolate,
coffee, corn, dynamite, earth, fire, french fries, fries, garlic, glasses, gloves, grapes, headphones,
honey, jeans, lettuce, lightning, lips, maracas, meat, milk, pancakes, paw prints, peanuts, peas, poo,
popcorn, ramen, rice, santa, scissors, shorts, shrimp, skis, soap, socks, spaghetti, sunglasses, sushi,
swords, tea, thumbs up, wheat, wine, wood, yarn,
biceps, chips, crossed swords, eyeglasses, father christmas, luggage, mail, maize, pants, pasta, rain,
santa claus, spectacles, sweetcorn, toast, trousers, wool
"""

# A content's name, then what else people call it; a word stands for one content only.
_SYNONYMS = """
sunglasses face: cool face; heart eyes face: loving face; laughing face: joyful face;
crying face: sobbing face, weeping face; angry face: mad face, furious face; sleeping face: asleep face;
tongue face: silly face; mask face: masked face; cowboy face: cowboy; clown: jester; robot: android, bot;
alien: extraterrestrial, martian; ghost: phantom, spirit; ogre: demon, oni; devil face: devil, imp;
angel face: angel, halo face; sick face: queasy face; hot face: sweating face;
cold face: freezing face, frozen face; starry face: amazed face, starstruck face;
money face: rich face, greedy face; nerd face: nerd, geek; scared face: screaming face, terrified face;
poo: poop, turd; smiling face: smile, smiley; sad face: frown, unhappy face; vomiting face: puking face;
swearing face: cursing face; kissing face: kiss; steaming face: huffing face; dizzy face: hypnotized face;
hugging face: hug; melting face: melted face; cat face: kitten, kitty; dog face: puppy, doggy;
lion: lioness; frog: toad, tree frog; panda: panda bear; fox: vixen, fox face; rabbit: bunny, hare;
pig: piglet, hog; cow: calf; monkey: ape, chimp; tiger: tigress; koala: koala bear; butterfly: moth;
ladybug: ladybird, lady beetle; bee: honeybee, bumblebee, wasp; spider: tarantula, arachnid; snail: slug;
octopus: kraken; fish: tropical fish, goldfish, clownfish; turtle: tortoise, sea turtle;
parrot: macaw, parakeet, cockatoo; rooster: cockerel; duck: mallard; chick: duckling;
bear: grizzly, grizzly bear; dog: hound, mutt; cat: feline, tomcat; bird: songbird, sparrow, robin;
horse: pony, stallion, mare; mouse: field mouse; dragon: wyvern; snake: serpent, viper, cobra;
shark: hammerhead; dolphin: porpoise; goat: billy goat; sheep: lamb, ewe; donkey: mule, burro;
goose: gander; chicken: hen; dove: pigeon; hatching chick: hatchling; chipmunk: squirrel; boar: wild pig;
ox: bull, buffalo; moose: elk, reindeer; leopard: jaguar, cheetah; mammoth: mastodon;
lizard: gecko, salamander; pufferfish: blowfish; oyster: clam, pearl; beetle: scarab, bug; fly: housefly;
cricket: grasshopper, locust; cockroach: roach; worm: earthworm; caterpillar: inchworm; heart: love heart;
orange: tangerine, mandarin, clementine; eggplant: aubergine; corn: maize, sweetcorn, corn cob;
pizza: pizza slice; hamburger: burger, cheeseburger; fries: french fries, chips;
hot dog: frankfurter, sausage; doughnut: donut; ice cream: gelato, ice cream bowl; cake: birthday cake;
lollipop: lolly; croissant: pastry; honey: honey pot, honey jar; beer: beer mug, ale, lager;
wine: wine glass, glass of wine; cocktail: martini; coffee: coffee cup, espresso; milk: glass of milk;
hibiscus: tropical flower; pine tree: evergreen tree, fir, spruce; palm tree: coconut tree;
maple leaf: autumn leaf; christmas tree: xmas tree; mushroom: toadstool; moon: crescent, crescent moon;
fire: flame, blaze; water drop: droplet, raindrop; umbrella: parasol, brolly; planet: saturn;
lightning: lightning bolt, thunderbolt; earth: globe, world; car: automobile, sedan, auto; bus: coach;
bicycle: bike, cycle; scooter: moped, vespa; rocket: spaceship, rocket ship;
airplane: plane, jet, aeroplane; ufo: flying saucer, spacecraft; sailboat: boat, yacht;
truck: delivery truck, lorry; traffic light: stoplight; fuel pump: gas pump, petrol pump;
lifebuoy: life ring, lifebelt; house: home, cottage; church: chapel, cathedral; mountain: mount fuji, peak;
ferris wheel: big wheel; circus: circus tent, big top; crown: tiara, diadem; graduation cap: mortarboard;
glasses: spectacles, eyeglasses; shirt: tee, t shirt; jeans: pants, trousers; dress: gown, frock;
high heel: stiletto; sneaker: trainer, running shoe; handbag: tote; ring: wedding ring, diamond ring;
diamond: gem, jewel, gemstone; tie: necktie; guitar: electric guitar; trumpet: bugle; drum: snare drum;
saxophone: sax; microphone: mic; headphones: headset; musical note: music note, melody;
television: tv, telly; laptop: notebook computer; light bulb: bulb, lightbulb; clock: alarm clock;
watch: wristwatch; lock: padlock; gift: present, gift box; die: dice; puzzle piece: jigsaw;
target: bullseye, dartboard; football: soccer ball; envelope: letter, mail; box: package, parcel;
palette: paint palette; hammer: mallet; gear: cog, cogwheel; swords: crossed swords, sword;
bow: bow and arrow; broom: broomstick; coin: gold coin, penny; pumpkin: jack o lantern;
santa: santa claus, father christmas; astronaut: spaceman, cosmonaut; policeman: police officer, cop;
baby: infant, newborn; boy: lad; girl: lass; man: guy, gentleman; woman: lady;
old man: grandpa, grandfather; old woman: grandma, grandmother, granny; wizard: mage, sorcerer, magician;
fairy: pixie; vampire: dracula; genie: djinn; troll: orc; chef: cook, baker; farmer: gardener;
firefighter: fireman; detective: spy; guard: royal guard; builder: construction worker, workman;
dancer: ballerina; baguette: french bread; bell pepper: capsicum; champagne: champagne bottle;
bread: toast, loaf of bread; bubble tea: boba; candy: sweet, bonbon; chocolate: chocolate bar;
cookie: biscuit; cucumber: pickle, gherkin; soda: soft drink; pudding: flan, custard; dumpling: gyoza;
chili: hot pepper; lettuce: cabbage; pie: apple pie; drumstick: chicken leg; potato: spud;
spaghetti: pasta; ramen: noodle soup, noodle bowl; tea: teacup, cup of tea; knife: kitchen knife;
vase: urn, amphora; daisy: marigold; bouquet: bunch of flowers; cherry blossom: sakura; lotus: water lily;
tree: oak; seedling: sprout, sapling; feather: quill; spider web: cobweb; shell: seashell;
rock: stone, boulder; comet: meteor, asteroid; tornado: hurricane, whirlwind; wave: tsunami;
explosion: blast; island: desert island; taxi: cab; fire truck: fire engine; van: minibus, minivan;
race car: racing car; motorcycle: motorbike; train: metro, subway; locomotive: steam train;
pickup truck: pickup; ship: cruise ship, steamship; speedboat: motorboat; canoe: kayak, rowboat;
sled: sledge, sleigh; hospital: clinic; building: office building, skyscraper; shop: store, supermarket;
hut: cabin, shack; carousel: merry go round; tower: eiffel tower; suitcase: luggage; map: world map;
barrel: oil drum; billiard ball: pool ball, eight ball; teddy bear: teddy, stuffed bear;
nesting doll: matryoshka; fishing rod: fishing pole; gamepad: game controller; painting: picture frame;
water gun: squirt gun; yoyo: yo yo; rugby ball: american football; axe: hatchet; wrench: spanner;
bucket: pail; flashlight: torch; computer: monitor, pc; phone: smartphone, mobile phone;
telephone: landline; movie camera: film camera; megaphone: bullhorn; sofa: couch; bathtub: bath;
trash can: garbage can, rubbish bin; coffin: casket; gravestone: tombstone; backpack: rucksack, schoolbag;
cap: baseball cap; sun hat: straw hat; helmet: rescue helmet; scarf: shawl; coat: jacket, overcoat;
shoe: loafer; sandal: flip flop; bikini: swimsuit; muscle: biceps, flexed arm; waving hand: hand;
lips: lipstick kiss, mouth; speech bubble: speech balloon; skull: cranium; prince: king; princess: queen;
amulet: evil eye; peanuts: peanut; peas: pea; pancakes: pancake; blueberries: blueberry; cherries: cherry;
grapes: grape; socks: sock; gloves: glove, mitten; books: book, stack of books; paw prints: paw print, paw;
skis: ski; salad: salad bowl; rice: bowl of rice; wheat: ear of wheat; yarn: ball of yarn, wool;
dynamite: firecracker; wood: log; disco ball: mirror ball; credit card: bank card; police car: patrol car;
lantern: paper lantern; medal: gold medal; soap: bar of soap; potted plant: houseplant;
beach: beach umbrella; rain cloud: raincloud, rain; siren: police light; temple: hindu temple;
ticket: concert ticket; pill: capsule; syringe: injection; newspaper: gazette; eye: eyeball;
tent: camping tent; fist: raised fist; wheel: tire
"""


def _parse(text: str) -> dict[str, tuple[str, ...]]:
    entries = (entry.partition(":") for entry in text.replace("\n", " ").split(";"))
    return {
        name.strip(): tuple(word.strip() for word in words.split(",")) for name, _, words in entries
    }


SYNONYMS: dict[str, tuple[str, ...]] = _parse(_SYNONYMS)
UNCOUNTED = {name.strip() for name in _UNCOUNTED.split(",")}

# Names and last words of names whose plural follows no rule.
_IRREGULAR = {
    "man": "men",
    "woman": "women",
    "snowman": "snowmen",
    "policeman": "policemen",
    "fireman": "firemen",
    "spaceman": "spacemen",
    "workman": "workmen",
    "gentleman": "gentlemen",
    "mouse": "mice",
    "goose": "geese",
    "foot": "feet",
    "tooth": "teeth",
    "ox": "oxen",
    "die": "dice",
    "dice": "dice",
    "leaf": "leaves",
    "loaf": "loaves",
    "calf": "calves",
    "knife": "knives",
    "elf": "elves",
    "scarf": "scarves",
    "wolf": "wolves",
    "moai": "moai",
    "fish": "fish",
    "goldfish": "goldfish",
    "clownfish": "clownfish",
    "pufferfish": "pufferfish",
    "blowfish": "blowfish",
    "sheep": "sheep",
    "deer": "deer",
    "reindeer": "reindeer",
    "moose": "moose",
    "squid": "squid",
    "aircraft": "aircraft",
    "spacecraft": "spacecraft",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "volcano": "volcanoes",
    "tornado": "tornadoes",
    "mango": "mangoes",
    "mosquito": "mosquitoes",
    "buffalo": "buffaloes",
    "superhero": "superheroes",
    "chili": "chilies",
    "bow and arrow": "bows and arrows",
}

# What begins with another sound than its first letter says.
_AN = ("hour", "honest", "heir", "x ray")
_A = ("uni", "use", "ufo", "ukulele", "eu", "one")


def with_article(name: str) -> str:
    """The name with its article, by the sound that it begins with.

    >>> [with_article(n) for n in ("apple", "car", "jeans", "owl", "ufo", "umbrella", "hourglass")]
    ['an apple', 'a car', 'jeans', 'an owl', 'a ufo', 'an umbrella', 'an hourglass']
    """
    if name in UNCOUNTED:
        return name
    vowel = name.startswith(_AN) or (name[0] in "aeiou" and not name.startswith(_A))
    return f"{'an' if vowel else 'a'} {name}"


def plural(name: str) -> str | None:
    """The plural of a name, ``None`` where it is not counted.

    >>> [plural(n) for n in ("apple", "fox", "daisy", "maple leaf", "statue of liberty", "jeans")]
    ['apples', 'foxes', 'daisies', 'maple leaves', 'statues of liberty', None]
    """
    if name in UNCOUNTED:
        return None
    if name in _IRREGULAR:
        return _IRREGULAR[name]
    first, of, rest = name.partition(" of ")
    if of:
        return f"{plural(first)}{of}{rest}"
    start, _, last = name.rpartition(" ")
    if last in _IRREGULAR:
        ending = _IRREGULAR[last]
    elif last.endswith("y") and last[-2:-1] not in tuple("aeiou"):
        ending = f"{last[:-1]}ies"
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        ending = f"{last}es"
    else:
        ending = f"{last}s"
    return f"{start} {ending}".strip()
