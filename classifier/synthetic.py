"""Texts of our own writing for what the corpora lack: templates with many fillings. The card calls them synthetic.

Spam of today (recovery scams, messenger numbers, product keys, assignment help, agencies, flattery with a link in the
author's url), everyday good comments, plain insults and threats, and identity terms in neutral sentences.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

from classifier.examples import Author, Example
from classifier.identity import TERMS
from classifier.labels import LABELS

_SLOTS: dict[str, tuple[str, ...]] = {
    "nice": (
        "great",
        "lovely",
        "really helpful",
        "interesting",
        "clear",
        "thoughtful",
        "good",
        "excellent",
        "wonderful",
    ),
    "post": ("post", "article", "write-up", "piece", "guide", "recipe", "review", "tutorial", "story", "read"),
    "thing": (
        "tomatoes",
        "sourdough",
        "router",
        "old bike",
        "roses",
        "printer",
        "camera",
        "laptop",
        "sewing machine",
        "compost heap",
        "window frames",
        "guitar",
        "boiler",
        "hens",
        "allotment",
        "python script",
        "database",
        "kitchen tap",
        "tent",
        "lawn",
        "raspberry pi",
        "bread oven",
        "car",
        "piano",
        "balcony plants",
    ),
    "person": (
        "my wife",
        "my husband",
        "my daughter",
        "my neighbour",
        "a friend of mine",
        "my dad",
        "our teacher",
        "my grandmother",
        "a colleague",
        "my brother",
    ),
    "time": (
        "last spring",
        "last year",
        "this morning",
        "two weeks ago",
        "in the winter",
        "on Sunday",
        "back in 2019",
        "when we moved house",
        "over the holidays",
        "in school",
    ),
    "place": ("Leeds", "Porto", "the north", "our village", "Ohio", "Utrecht", "the coast", "my town", "Bergen"),
    "thanks": ("Thanks", "Thank you", "Many thanks", "Thanks a lot", "Thank you so much", "Cheers", "Thanks again"),
    "worked": (
        "it works now",
        "that solved it",
        "it helped me a lot",
        "I learned something",
        "that was new to me",
        "I will try it at the weekend",
        "worked for me",
        "exactly what I needed for my {thing}",
        "my {thing} is fine again",
        "I had wondered about that since {time}",
        "I will show it to {person}",
    ),
    "doubt": ("does it also work with", "would you do the same for", "have you tried it with", "what about"),
    "coin": ("bitcoin", "BTC", "USDT", "crypto", "ethereum", "my wallet", "my investment"),
    "sum": ("$4,500", "$87,000", "3.2 BTC", "€12,000", "£9,800", "$250k", "1.7 bitcoin"),
    "hacker": (
        "Recovery Masters",
        "Cyber Wizard",
        "Mrs Helen Trade",
        "Captain Hack Pro",
        "Ghost Retrieval",
        "Dr Moore",
    ),
    "contact": (
        "WhatsApp +1 202 555 01{d}{d}",
        "whatsapp: +44 7700 900{d}{d}{d}",
        "Telegram @{w}{w}pro",
        "email {w}{w}@mail.example",
        "t.me/{w}{w}",
        "WhatsApp him on +1(305)555-01{d}{d}",
    ),
    "w": ("trade", "fix", "legit", "gold", "hack", "fast", "king", "tech", "cash", "star", "prime", "best"),
    "d": tuple("0123456789"),
    "site": (
        "{w}{w}.example",
        "www.{w}-{w}.example",
        "https://{w}{w}.example/",
        "http://{w}.example/{w}",
        "https://{w}-{w}.example/buy",
        "bit.example/{w}{d}{d}",
    ),
    "pill": ("viagra", "cialis", "xanax", "tramadol", "adderall", "oxycodone", "ambien", "phentermine", "modafinil"),
    "brand": ("Louis Vuitton", "Gucci", "Rolex", "Nike", "Ray Ban", "Michael Kors", "North Face", "Jordan"),
    "goods": ("handbags", "watches", "shoes", "sunglasses", "jackets", "jerseys", "sneakers", "outlet"),
    "soft": ("Windows 11 Pro", "Office 2021", "antivirus", "IDM", "Photoshop", "video converter", "driver updater"),
    "subject": ("nursing", "law", "accounting", "history", "statistics", "programming", "marketing", "MBA"),
    "city": ("Dubai", "Mumbai", "London", "Sydney", "Toronto", "Delhi", "Houston", "Lahore", "Chennai"),
    "trade": (
        "SEO",
        "web design",
        "movers and packers",
        "escort",
        "digital marketing",
        "carpet cleaning",
        "taxi",
        "app development",
        "garage door repair",
        "printer support",
        "airline ticket",
        "roofing",
    ),
    "game": ("casino", "slots", "poker", "sports betting", "baccarat", "lottery", "jackpot"),
    "loan": ("loans", "personal loan", "business loan", "payday loans", "debt relief", "mortgage"),
    "praise": (
        "I really like your blog",
        "Your blog is amazing",
        "Very informative article",
        "Thanks for sharing",
        "What a fantastic post",
        "I was looking for this information",
        "Nice blog, keep it up",
    ),
    "fool": (
        "idiot",
        "moron",
        "imbecile",
        "loser",
        "clown",
        "piece of trash",
        "dumbass",
        "fool",
        "pathetic liar",
        "waste of space",
        "disgusting pig",
        "brainless twit",
    ),
    "bad": ("stupid", "pathetic", "disgusting", "worthless", "ignorant", "dumb", "ugly", "miserable", "brain-dead"),
    "swear": ("fucking", "damn", "goddamn", "bloody", "shitty"),
    "harm": (
        "kill you",
        "break your legs",
        "burn your house down",
        "hurt your family",
        "stab you",
        "shoot you",
        "beat you up",
        "find you and make you pay",
        "cut your throat",
    ),
    "topic": (
        "the parking rules",
        "the council",
        "this update",
        "the referee",
        "the weather",
        "that recipe",
        "the new logo",
        "the ending",
        "this phone",
        "the bus timetable",
        "the price",
    ),
}

_HAM = (
    "{nice} {post}, thanks! I had the same problem with my {thing} {time}.",
    "Thanks for this {post}. {doubt} a {thing}?",
    "I tried this {time} and it worked, thank you.",
    "We did that with our {thing} {time} and {person} still talks about it.",
    "Thank you for writing this! It reminded me of {place} {time}.",
    "{person} told me about your {post}. {nice}!",
    "I don't agree about {topic}, but the rest of the {post} is {nice}.",
    "Small typo in the second paragraph, otherwise a {nice} {post}.",
    "How long did it take you? My {thing} is still broken after what I did {time}.",
    "Does anybody know whether {topic} changed {time}? Here in {place} nothing happened.",
    "This is a {nice} {post}! I've been fighting with my {thing} for weeks, and now it finally works.",
    "Thanks so much for sharing, {person} loves the photo of the {thing}.",
    "Great {post}! Looking forward to the next part.",
    "Hello from {place}! Lovely {post}, my {thing} looks just like yours.",
    "Can you say more about {topic}? I read the {post} twice and still don't get it.",
    "Congratulations on the {thing}! {person} had one {time}.",
    "Nice work. I wrote down something alike about my {thing}: https://{w}notes.example/{thing}",
    "The link to the {thing} manual is broken, the new one is https://docs.{w}.example/manual/{d}{d}",
    "See also the discussion at https://forum.{w}.example/t/{d}{d}{d} about {topic}.",
    "Ha, that made me laugh. {topic} will never change.",
    "I am sorry, but {topic} was a mistake and I'd like to know who decided it.",
    "Thanks, fixed my {thing} in five minutes.",
    "{thanks} for this {post}, it helped {person} a lot.",
    "{thanks} for the {post}, {worked}.",
    "{thanks}! {worked}.",
    "{nice} {post}, {worked}.",
    "{nice} {post}! {worked}, {person} says hello.",
    "This helped me with my {thing}, {thanks}!",
    "{worked}. {thanks} for taking the time to explain.",
    "I have read your blog since {time} and this {post} is my favourite.",
    "I wrote about {topic} too: https://{w}diary.example/{d}{d}{d} - {nice} to see somebody agree.",
    "Check out the docs at https://docs.{w}.example/{w}, they describe the same bug with the {thing}.",
    "For the {thing} see https://en.encyclopedia.example/wiki/{thing}, the second section.",
    "My notes on the {thing} are at https://{w}.example/notes if anybody wants them.",
    "Here is the patch for the {thing}: https://code.example/{w}/{w}/pull/{d}{d}{d}",
    "@{person} I think you are right about {topic}, see https://news.example/{w}/{d}{d}{d}",
    "What a {nice} memory. In {place} we had the same {time}.",
    "First of all, {nice} {post}. Second, {doubt} the {thing} from {place}?",
)
_SPAM = (
    "I lost {sum} in {coin} to a fake broker, but {hacker} helped me get everything back. Contact {contact}",
    "Are you a victim of a scam? {hacker} recovered my {sum}. Reach out on {contact} today!",
    "I invested {sum} and earn weekly profit with {hacker}, all thanks to her. {contact}",
    "All thanks to {hacker} who helped me invest in {coin}, message via {contact}",
    "Buy cheap {pill} online {site} best price no prescription!!!",
    "order {pill} online, buy {pill}, cheap {pill} {site}",
    "BEST PRICE {brand} {goods} outlet {site} free shipping",
    "cheap {brand} {goods}, replica {brand} {goods} {site}",
    "Download {soft} crack with license key free {site}",
    "{soft} product key 100% working, activate now at {site}",
    "Need {subject} assignment help? Our experts write your essay. Visit {site}",
    "{subject} homework help by PhD writers, plagiarism free {site}",
    "We are the best {trade} company in {city}. Call +1 800 555 0{d}{d}{d} or visit {site}",
    "{praise}. If you need {trade} services in {city} visit {site}",
    "{praise}! {trade} {city} {site}",
    '{praise}. Also visit my website <a href="{site}">{trade} {city}</a>',
    "Play {game} online and win {sum} bonus {site}",
    "{game} {game} free spins no deposit {site} {loan}",
    "Get {loan} at 2% interest, apply now, contact {contact}",
    "I make {sum} every month working from home, click here {site}",
    "URGENT {loan} offer! bad credit ok! {contact}",
    "[url={site}]{pill} {game} {loan}[/url]",
    "My ex came back after the spell of {hacker}, contact him: {contact}",
    "Earn {coin} fast!!! {site} {site} {site}",
    "hot girls near you, chat now {site}",
    "Subscribe to my channel please, I upload {game} videos daily {site}",
)
_INSULT = (
    "You are a {bad} {fool}.",
    "You are a {bad} {fool} and everyone hates you",
    "Shut up, you {bad} {fool}!",
    "What a {bad} {fool} you are, nobody wants you here.",
    "only a {fool} like you would write this",
    "You {swear} {fool}, go away",
    "The author is a {bad} {fool} and so are all of you.",
    "u r such a {fool} lol, so {bad}",
)
_THREAT = (
    "I will {harm}, you {fool}.",
    "Watch your back, I am going to {harm}.",
    "I know where you live and I will {harm}.",
    "Someone should {harm}, and soon.",
)
_NEUTRAL = (
    "I am a {term} person.",
    "My friend is {term} and lives in {place}.",
    "As a {term} reader I found this {post} {nice}.",
    "The {term} community in {place} met {time}.",
    "She wrote a {post} about {term} history.",
    "{term} people and their families came to {place} {time}.",
    "Is there a book about being {term} in {place}?",
)
_HOSTILE = (
    "All {term} people are {bad} {fool}s.",
    "I hate {term} people, they should all be thrown out.",
    "{term} people are vermin and {bad}.",
    "get rid of every {term} in {place}, they are {bad}",
)

_SLOT = re.compile(r"\{(\w+)\}")


def fill(template: str, dice: random.Random) -> str:
    """One filling of a template; slots may hold slots."""
    while "{" in template:
        template = _SLOT.sub(lambda m: dice.choice(_TERMS if m[1] == "term" else _SLOTS[m[1]]), template)
    return template


_TERMS = tuple(sorted(TERMS))


def texts(seed: int, each: int = 40) -> Iterator[Example]:
    """`each` fillings of every template, the same for the same seed."""
    dice = random.Random(seed)  # noqa: S311 - fillings, not secrets
    good = dict.fromkeys(LABELS, 0.0)
    kinds: tuple[tuple[tuple[str, ...], dict[str, float]], ...] = (
        (_HAM, good),
        (_SPAM, {"spam": 1.0, "toxicity": 0.0, "insult": 0.0}),
        (_INSULT, {"toxicity": 1.0, "insult": 1.0, "spam": 0.0, "threat": 0.0}),
        (_THREAT, {"toxicity": 1.0, "threat": 1.0, "spam": 0.0}),
        (_NEUTRAL, good),
        (_HOSTILE, {"toxicity": 1.0, "identity_attack": 1.0, "insult": 0.8, "spam": 0.0}),
    )
    for number, (templates, labels) in enumerate(kinds):
        for template in templates:
            for _ in range(each):
                text = fill(template, dice)
                if dice.random() < 0.3:
                    text = text.lower()
                url = "http://blog.example" if dice.random() < (0.6 if labels.get("spam") else 0.4) else ""
                group = f"synthetic/{number}/{templates.index(template)}"
                yield Example(text, labels, Author(url=url), "synthetic", group=group)
