"""Identity terms: words that name groups of people. Only `identity_attack` tells them apart; other labels see one placeholder."""

from __future__ import annotations

_WORDS = """
gay gays lesbian lesbians homosexual homosexuals heterosexual heterosexuals straight bisexual bisexuals queer
transgender transgendered trans transsexual transsexuals nonbinary lgbt lgbtq lgbtqia asexual intersex
cisgender man men woman women male males female females boy boys girl girls lady ladies feminist feminists
feminism muslim muslims moslem moslems islam islamic jew jews jewish judaism christian christians christianity
catholic catholics protestant protestants mormon mormons hindu hindus buddhist buddhists sikh sikhs atheist
atheists evangelical evangelicals orthodox black blacks white whites african africans asian asians latino
latinos latina latinas latinx hispanic hispanics caucasian caucasians european europeans american americans
indigenous aboriginal aborigine aboriginals native natives arab arabs arabic persian persians kurd kurds
kurdish turk turks turkish indian indians pakistani pakistanis chinese japanese korean koreans vietnamese
filipino filipinos thai mexican mexicans cuban cubans canadian canadians german germans french italian
italians spanish irish english british scottish russian russians ukrainian ukrainians polish pole poles
romanian romanians roma romani greek greeks israeli israelis palestinian palestinians syrian syrians iranian
iranians iraqi iraqis afghan afghans somali somalis nigerian nigerians brazilian brazilians immigrant
immigrants migrant migrants refugee refugees foreigner foreigners old older elderly young younger teenage
teenager teenagers millennial millennials boomer boomers blind deaf disabled paralyzed paralysed autistic
autism wheelchair schwul schwule lesbisch jude juden jüdisch muslime türke türken ausländer flüchtling
flüchtlinge
"""

TERMS: frozenset[str] = frozenset(_WORDS.split())
