"""The second part of the vocabulary's contents, written as in `contents`; all exist in the four styles.

They stand behind the first part, so that contents keep their places, and leave out what looks like
another content (clock faces, phases of the moon) or is a sign.
"""

MORE_FACES = """
slightly-smiling-face=smiling face, slightly-frowning-face=sad face, face-vomiting=vomiting face,
zipper-mouth-face=zipper face, face-with-symbols-on-mouth=swearing face,
kissing-face-with-closed-eyes=kissing face, face-with-steam-from-nose=steaming face,
face-with-spiral-eyes=dizzy face, melting-face, hugging-face
"""

MORE_ANIMALS = """
dog, cat, bird, horse, mouse, dragon, snake, shark, dolphin, giraffe, goat, ewe=sheep, donkey, goose,
chicken, turkey, dove, hatching-chick, hedgehog, beaver, chipmunk, boar, ox, moose, leopard,
mammoth, orangutan, poodle, lizard, blowfish=pufferfish, oyster, ant, beetle, fly, mosquito, cricket,
cockroach, worm, bug=caterpillar
"""

_PERSONS = """
baby, boy, girl, man, woman, old-man, old-woman, prince, princess, man-mage=wizard, woman-fairy=fairy,
man-elf=elf, man-vampire=vampire, man-zombie=zombie, man-genie=genie, man-superhero=superhero, troll,
cook=chef, farmer, firefighter, detective, guard, construction-worker=builder, woman-dancing=dancer
"""

_FOOD = """
bacon, bagel, baguette-bread=baguette, bell-pepper, blueberries, bottle-with-popping-cork=champagne, bread,
bubble-tea, burrito, butter, candy, chocolate-bar=chocolate, coconut, cooked-rice=rice, cookie, cucumber,
cup-with-straw=soda, custard=pudding, cut-of-meat=steak, dumpling, egg, garlic, green-salad=salad,
hot-pepper=chili, kiwi-fruit=kiwi, leafy-green=lettuce, mango, melon, meat-on-bone=meat, onion, pancakes,
pea-pod=peas, peach, peanuts, pie, poultry-leg=drumstick, potato, sandwich, spaghetti, steaming-bowl=ramen,
sushi, teacup-without-handle=tea, waffle, spoon, kitchen-knife=knife, amphora=vase, baby-bottle, olive
"""

_NATURE = """
blossom=daisy, bouquet, cherry-blossom, lotus, deciduous-tree=tree, leaf-fluttering-in-wind=leaf,
potted-plant, seedling, sheaf-of-rice=wheat, feather, spider-web, spiral-shell=shell, coral, paw-prints,
wood, rock, comet, tornado, water-wave=wave, cloud-with-rain=rain cloud, full-moon, collision=explosion,
desert-island=island, beach-with-umbrella=beach
"""

_TRAVEL = """
taxi, police-car, fire-engine=fire truck, minibus=van, racing-car=race car, motorcycle, train, locomotive,
pickup-truck, ship, speedboat, canoe, skateboard, kick-scooter, roller-skate, sled, satellite,
parachute, manual-wheelchair=wheelchair, wheel, hospital, school, factory, office-building=building,
convenience-store=shop, mosque, hindu-temple=temple, classical-building=museum, hut,
japanese-castle=pagoda, tokyo-tower=tower, statue-of-liberty, fountain, bridge-at-night=bridge,
roller-coaster, carousel-horse=carousel, luggage=suitcase, compass, world-map=map, police-car-light=siren,
oil-drum=barrel, moai
"""

_PLAY = """
sports-medal=medal, american-football=rugby ball, baseball, volleyball, pool-8-ball=billiard ball,
flying-disc=frisbee, chess-pawn=pawn, crystal-ball, magic-wand, teddy-bear, nesting-dolls=nesting doll,
mirror-ball=disco ball, party-popper, firecracker=dynamite, fishing-pole=fishing rod, skis,
framed-picture=painting, ticket, video-game=gamepad, alien-monster=space invader, water-pistol=water gun,
yarn, yo-yo=yoyo, boomerang, ribbon
"""

_TOOLS = """
axe, carpentry-saw=saw, screwdriver, wrench, toolbox, bucket, chains=chain, dagger, flashlight,
fire-extinguisher, electric-plug=plug, battery, magnifying-glass-tilted-left=magnifying glass, microscope,
stethoscope, syringe, pill, thermometer, stopwatch, desktop-computer=computer, keyboard, printer,
floppy-disk, mobile-phone=phone, telephone, radio, movie-camera, pen, paintbrush,
straight-ruler=ruler, notebook, newspaper, scroll, calendar, file-folder=folder, credit-card, money-bag,
closed-mailbox-with-raised-flag=mailbox, love-letter, musical-keyboard=piano, flute, banjo, maracas,
megaphone
"""

_HOME = """
couch-and-lamp=sofa, bathtub, mirror, window, soap, toothbrush, razor, lipstick, plunger,
wastebasket=trash can, shopping-cart, basket, red-paper-lantern=lantern, folding-hand-fan=fan, coffin,
headstone=gravestone, backpack, briefcase, purse, sunglasses, billed-cap=cap, womans-hat=sun hat,
rescue-workers-helmet=helmet, military-helmet=army helmet, scarf, coat, shorts, bikini, womans-boot=boot,
mans-shoe=shoe, thong-sandal=sandal
"""

_BODY = """
nose, ear, foot, bone, raised-fist=fist, flexed-biceps=muscle, waving-hand, kiss-mark=lips, broken-heart,
speech-balloon=speech bubble
"""

MORE_OBJECTS = ",".join(
    part.strip() for part in (_PERSONS, _FOOD, _NATURE, _TRAVEL, _PLAY, _TOOLS, _HOME, _BODY)
)
