"""What the demo tells: invented associations, causes, voices and answers. All of it says that it is an example."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """A campaign of the demo. Money in whole euros; `lines`: label, minimum, optimum; `skills`: label, hours.

    `either`: label, minimum, optimum, and the hours that replace the minimum.
    """

    organisation: str
    title: str
    ask: str
    addressee: tuple[str, str]
    cause: str
    summary: str
    story: str
    result: str
    calendar: str
    lines: tuple[tuple[str, int, int], ...]
    skills: tuple[tuple[str, int], ...]
    sources: tuple[tuple[str, str, str], ...]
    success: str
    failure: str
    question: str
    state: str
    days_left: int = 30
    gifts_eur: tuple[int, ...] = ()
    either: tuple[tuple[str, int, int, int], ...] = ()


ORGANISATIONS: Final = (
    ("Air libre (exemple)", "association", "784671695"),
    ("Cantines vivantes (exemple)", "association", "775672272"),
    ("Les lignes de nuit (exemple)", "association", ""),
    ("Canal sauvage (exemple)", "association", ""),
)

CAUSES: Final = (
    Cause(
        organisation="Air libre (exemple)",
        title="Un air respirable devant nos dix-huit écoles",
        ask="de fermer à la circulation les rues de dix-huit écoles aux heures d’entrée et de sortie, avant la rentrée 2027.",
        addressee=("Mme la maire de Valmont", "ville de Valmont"),
        cause="environment",
        summary="Dix-huit écoles de Valmont dépassent les seuils de pollution. Des rues scolaires y mettraient fin, matin et soir.",
        story=(
            "Chaque matin, **4 300 enfants** entrent en classe par une rue où passent mille voitures à l’heure.\n\n"
            "## Ce que nous avons mesuré\n\n"
            "Pendant six mois, douze capteurs ont tourné devant les écoles. Les relevés sont publics, capteur par capteur.\n\n"
            "- dix-huit écoles dépassent le seuil annuel de dioxyde d’azote\n- trois sont au double\n"
            "- devant l’école Jean-Zay, la pointe dure de 8 h 05 à 8 h 35\n\n"
            "> Nous ne demandons pas la lune\u202f: une rue, une demi-heure, deux fois par jour.\n\n"
            "## Ce que la campagne paie\n\n"
            "Une étude juridique sur les arrêtés possibles, un film de trois minutes, et une consultation où commerçants, "
            "parents, livreurs et riverains sont entendus avant que la ville décide."
        ),
        result="Une rue scolaire devant chacune des dix-huit écoles, avec un arrêté solide et un plan de circulation concerté.",
        calendar="Étude et film avant mars. Consultation de quatre semaines. Réponse de la ville avant l’été.",
        lines=(
            ("Étude juridique", 3500, 5000),
            ("Film de trois minutes", 2500, 4000),
            ("Animation de la consultation", 2000, 3000),
        ),
        skills=(("Relecture par une ou un juriste en droit public", 24), ("Cartographie des relevés", 16)),
        sources=(
            (
                "Relevés des douze capteurs, janvier à juin",
                "https://example.org/valmont/releves",
                "Air libre (exemple)",
            ),
            (
                "Bilan de la qualité de l’air",
                "https://example.org/observatoire/bilan",
                "Observatoire régional (exemple)",
            ),
        ),
        success="L’étude est commandée dans le mois, le film tourné au printemps.",
        failure="Les dons reçus servent à publier les relevés et à les présenter au conseil municipal.",
        question="À quelles conditions une rue scolaire fonctionne-t-elle devant votre école\u202f?",
        state="live",
        days_left=23,
        gifts_eur=(
            20,
            50,
            15,
            100,
            30,
            20,
            250,
            10,
            40,
            60,
            35,
            20,
            500,
            25,
            80,
            45,
            20,
            120,
            20,
            75,
            50,
            30,
            300,
            15,
            90,
        ),
    ),
    Cause(
        organisation="Cantines vivantes (exemple)",
        title="Une cantine qui cuisine sur place, dans toutes les écoles",
        ask="de rouvrir une cuisine dans chacune des vingt-deux écoles publiques, en commençant par six d’ici deux ans.",
        addressee=("M. le président de la communauté", "communauté de communes du Haut-Val"),
        cause="education",
        summary="Les repas voyagent 60 km avant d’être réchauffés. Cuisiner sur place coûte à peine plus et se jette deux fois moins.",
        story=(
            "Un repas servi à l’école du Haut-Val a parcouru **60 km**. Il a été cuit la veille, refroidi, livré, réchauffé.\n\n"
            "## Deux ans d’essai à l’école des Tilleuls\n\n"
            "- 46 % de restes en moins\n- 38 centimes de plus par repas, produits locaux compris\n- deux emplois créés\n\n"
            "Nous voulons que l’essai devienne la règle, et que parents, cuisiniers et agents écrivent ensemble comment."
        ),
        result="Six cuisines rouvertes en deux ans, vingt-deux en six ans, avec un budget voté.",
        calendar="Consultation dès le minimum réuni, délibération demandée avant le budget.",
        lines=(
            ("Chiffrage par une économiste", 2400, 3600),
            ("Visites de cuisines ouvertes à tous", 800, 1600),
            ("Consultation et synthèse", 1400, 2200),
        ),
        skills=(("Plans d’une cuisine scolaire", 30),),
        sources=(("Deux ans d’essai aux Tilleuls", "https://example.org/tilleuls", "Cantines vivantes (exemple)"),),
        success="Le chiffrage est publié, puis la consultation s’ouvre.",
        failure="Les dons reçus paient les visites de cuisines.",
        question="Que faut-il pour que chaque école du Haut-Val cuisine ses repas\u202f?",
        state="consulting",
        days_left=12,
        gifts_eur=(
            50,
            100,
            20,
            500,
            30,
            1000,
            250,
            80,
            40,
            60,
            150,
            20,
            300,
            45,
            200,
            75,
            500,
            120,
            35,
            90,
            25,
            110,
            400,
            200,
            300,
        ),
    ),
    Cause(
        organisation="Les lignes de nuit (exemple)",
        title="Un bus de nuit entre la gare et l’hôpital",
        ask="de rétablir une ligne de nuit entre la gare et l’hôpital, sept nuits sur sept.",
        addressee=("Mme la vice-présidente chargée des transports", "métropole de Rivenord"),
        cause="transport",
        summary="Huit cents soignants finissent après le dernier bus. La ligne supprimée il y a quatre ans leur manque chaque nuit.",
        story=(
            "Le dernier bus quitte l’hôpital à 22 h 40. **Huit cents personnes** y travaillent après cette heure.\n\n"
            "Nous avons compté, trois semaines durant, qui marche, qui paie un taxi, qui dort sur place.\n\n"
            "La consultation est close\u202f: quatre propositions ont réuni soignants, riverains et conducteurs."
        ),
        result="Un bus toutes les quarante minutes entre minuit et cinq heures.",
        calendar="Consultation close. La métropole a répondu.",
        lines=(("Enquête de nuit", 900, 1500), ("Étude d’itinéraire", 1600, 2500)),
        skills=(("Traitement des comptages", 18),),
        sources=(("Comptages de nuit", "https://example.org/rivenord/nuit", "Les lignes de nuit (exemple)"),),
        success="L’étude d’itinéraire est remise à la métropole.",
        failure="Les comptages sont publiés.",
        question="Quel bus de nuit pour celles et ceux qui travaillent à l’hôpital\u202f?",
        state="answered",
        days_left=8,
        gifts_eur=(100, 50, 20, 500, 300, 40, 250, 120, 80, 60, 200, 400, 150, 90, 200),
    ),
    Cause(
        organisation="Canal sauvage (exemple)",
        title="Un refuge pour la faune du vieux canal",
        ask="de classer les quatre kilomètres du vieux canal en refuge, sans éclairage la nuit.",
        addressee=("M. le préfet", "préfecture de l’Aubrie"),
        cause="environment",
        summary="Martins-pêcheurs et chauves-souris vivent à dix minutes du centre. Un éclairage neuf les chasserait.",
        story=(
            "Quatre kilomètres d’eau calme, à dix minutes du centre, et **trente et une espèces** suivies depuis dix ans par des "
            "bénévoles. Le projet d’éclairage prévoit soixante lampadaires sur le chemin de halage.\n\n"
            "Nous proposons de garder la nuit noire sur le canal et d’éclairer l’autre rive. La collecte n’a pas atteint son "
            "minimum\u202f: les dons reçus paient l’inventaire de printemps, comme annoncé."
        ),
        result="Un arrêté de protection.",
        calendar="La collecte est finie.",
        lines=(("Inventaire", 3000, 4000), ("Dossier de classement", 2000, 3000)),
        skills=(),
        sources=(("Dix ans de suivi", "https://example.org/canal", "Canal sauvage (exemple)"),),
        success="Le dossier est déposé.",
        failure="Les dons reçus paient l’inventaire de printemps.",
        question="Comment protéger le canal sans le fermer\u202f?",
        state="failed",
        gifts_eur=(20, 50, 30, 100),
    ),
    Cause(
        organisation="Air libre (exemple)",
        title="Des bancs publics tous les deux cents mètres",
        ask="d’installer un banc tous les deux cents mètres sur les grands axes, à commencer par le chemin du marché.",
        addressee=("M. l’adjoint à l’espace public", "ville de Valmont"),
        cause="city",
        summary="Sans banc, une personne âgée sur trois renonce à sortir. Deux cents mètres, c’est la distance qui change tout.",
        story=(
            "Nous avons marché avec **quarante personnes de plus de 75 ans**. Toutes ont dit la même chose\u202f: sans banc, on ne "
            "sort plus.\n\nUne carte des bancs manquants existe. Il manque la volonté, et un peu de méthode."
        ),
        result="Cent vingt bancs en trois ans.",
        calendar="Film et carte avant l’été.",
        lines=(("Carte des bancs manquants", 600, 1000), ("Marches exploratoires", 900, 1500)),
        skills=(("Dessin d’un banc accessible", 12),),
        sources=(("Marcher après 75 ans", "https://example.org/marcher", "Air libre (exemple)"),),
        success="La carte est remise à la ville.",
        failure="La carte reste en ligne.",
        question="Où manque-t-il un banc\u202f?",
        state="live",
        days_left=41,
        gifts_eur=(10, 20, 20, 35, 50),
        either=(("Dossier de presse et messages aux élus", 1200, 1600, 32),),
    ),
    Cause(
        organisation="Cantines vivantes (exemple)",
        title="Un potager dans chaque collège",
        ask="d’ouvrir un potager dans les dix collèges du département et d’y consacrer une heure par quinzaine.",
        addressee=("Mme la présidente du conseil départemental", "département de l’Aubrie"),
        cause="education",
        summary="Dix collèges, dix potagers, une heure par quinzaine.",
        story=(
            "Trois collèges ont essayé pendant un an. Les élèves mangent ce qu’ils ont planté, les restes ont baissé, et deux "
            "professeurs sur trois s’en servent en cours.\n\nNous demandons la même chose pour les dix collèges\u202f: un terrain, "
            "des outils, une heure par quinzaine et quelqu’un pour l’été. La campagne paie un guide et une formation."
        ),
        result="Dix potagers et un poste d’animation.",
        calendar="À la rentrée.",
        lines=(("Guide et formation", 1200, 2000),),
        skills=(),
        sources=(("Trois potagers, un an", "https://example.org/potagers", "Cantines vivantes (exemple)"),),
        success="Le guide est imprimé.",
        failure="Le guide est mis en ligne.",
        question="Que planter, et qui s’en occupe l’été\u202f?",
        state="submitted",
    ),
    Cause(
        organisation="Les lignes de nuit (exemple)",
        title="Un arrêt à la demande après vingt-deux heures",
        ask="de permettre la descente entre deux arrêts après vingt-deux heures, sur toutes les lignes.",
        addressee=("M. le directeur du réseau", "régie des transports de Rivenord"),
        cause="transport",
        summary="Descendre plus près de chez soi, la nuit, sans rien construire.",
        story=(
            "Douze réseaux permettent de descendre entre deux arrêts après vingt-deux heures. Les conducteurs s’arrêtent là où "
            "c’est sûr, et personne ne marche un kilomètre dans le noir.\n\nNous demandons un essai de six mois sur toutes les "
            "lignes, évalué par des gens qui ne sont ni la régie ni nous. La campagne paie cette évaluation."
        ),
        result="Un essai de six mois, évalué.",
        calendar="Au printemps.",
        lines=(("Évaluation de l’essai", 1500, 2000),),
        skills=(),
        sources=(("Douze réseaux", "https://example.org/descente", "Les lignes de nuit (exemple)"),),
        success="L’évaluation est financée.",
        failure="Les dons reçus paient une brochure.",
        question="À quelles conditions\u202f?",
        state="changes_requested",
    ),
    Cause(
        organisation="Air libre (exemple)",
        title="Une carte des fontaines d’eau potable",
        ask="de remettre en eau les quarante fontaines fermées.",
        addressee=("Mme la maire de Valmont", "ville de Valmont"),
        cause="city",
        summary="Quarante fontaines fermées, une canicule par an.",
        story=(
            "Valmont a soixante-deux fontaines. Quarante sont fermées, la plupart depuis la sécheresse d’il y a dix ans. Elles "
            "existent, elles sont raccordées\u202f: il suffit de les rouvrir, et de dire où elles sont.\n\nNous avons relevé chacune "
            "d’elles. La campagne paie la carte, les analyses d’eau et une réunion dans chaque quartier."
        ),
        result="Quarante fontaines rouvertes.",
        calendar="Avant l’été.",
        lines=(("Relevés et carte", 800, 1200),),
        skills=(),
        sources=(("Inventaire des fontaines", "https://example.org/fontaines", "Air libre (exemple)"),),
        success="La carte est publiée.",
        failure="L’inventaire reste en ligne.",
        question="Quelle fontaine rouvrir d’abord\u202f?",
        state="approved",
    ),
    Cause(
        organisation="Les lignes de nuit (exemple)",
        title="Un guichet de nuit à la gare",
        ask="d’ouvrir un guichet jusqu’à une heure du matin.",
        addressee=("M. le directeur du réseau", "régie des transports de Rivenord"),
        cause="transport",
        summary="La régie a ouvert le guichet avant même la collecte : la campagne n’a plus lieu d’être.",
        story="Un brouillon que l’association a retiré.",
        result="Un guichet ouvert la nuit.",
        calendar="Au printemps.",
        lines=(("Enquête", 400, 600),),
        skills=(),
        sources=(),
        success="",
        failure="",
        question="",
        state="cancelled",
    ),
    Cause(
        organisation="Canal sauvage (exemple)",
        title="Une nuit sans lumière, une fois par mois",
        ask="d’éteindre l’éclairage une nuit par mois.",
        addressee=("M. le maire de Port-Aubrie", "ville de Port-Aubrie"),
        cause="environment",
        summary="Une nuit pour les étoiles et les chauves-souris.",
        story="Encore un brouillon.",
        result="",
        calendar="",
        lines=(("Soirées d’observation", 500, 800),),
        skills=(),
        sources=(),
        success="",
        failure="",
        question="",
        state="draft",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A contribution of a consultation of the demo, with what people said of it.

    `support`: chances in a hundred that a participant agrees, is mixed, disagrees. `arguments`: side, text, source or "".
    """

    section: int
    title: str
    body: str
    support: tuple[int, int, int]
    arguments: tuple[tuple[str, str, str], ...] = ()


SECTIONS: Final = {
    "Une cantine qui cuisine sur place, dans toutes les écoles": (
        (
            "Qui cuisine, et où",
            "Une cuisine par école, ou une cuisine pour plusieurs écoles voisines, dans un rayon de dix minutes.",
        ),
        ("Ce que l’on sert", "Des menus sur quatre semaines, avec les producteurs du Haut-Val d’abord."),
        (
            "Ce que cela coûte, et qui paie",
            "Un coût par repas publié chaque année, et un tarif selon le quotient familial.",
        ),
    ),
    "Un bus de nuit entre la gare et l’hôpital": (
        ("L’itinéraire", "Gare, centre, hôpital, avec deux arrêts de quartier."),
        ("Les horaires", "Un départ toutes les quarante minutes entre minuit et cinq heures."),
    ),
}

VOICES: Final = {
    "Une cantine qui cuisine sur place, dans toutes les écoles": (
        Voice(
            section=0,
            title="Commencer par les écoles qui ont encore leurs murs de cuisine",
            body="Six écoles ont gardé leur local et leur hotte. Commencer par elles **divise le coût par deux**.",
            support=(82, 12, 6),
            arguments=(
                (
                    "for",
                    "À l’école du Centre, il ne manque qu’un piano de cuisson et une chambre froide.",
                    "Visite des locaux, avril",
                ),
                (
                    "against",
                    "Les plus vieilles écoles sont aussi celles où la mise aux normes coûte le plus.",
                    "Diagnostic technique, page 14",
                ),
                ("for", "On verra vite si cela marche.", ""),
            ),
        ),
        Voice(
            section=0,
            title="Une cuisine pour trois écoles voisines",
            body="Dans les villages, une cuisine peut nourrir trois écoles, à dix minutes l’une de l’autre.",
            support=(58, 25, 17),
            arguments=(
                ("for", "Le transport reste court et le chef a de quoi faire un plein temps.", "Calcul des tournées"),
                ("against", "On recommence à livrer, donc à réchauffer.", ""),
            ),
        ),
        Voice(
            section=0,
            title="Garder la cuisine centrale en secours",
            body="En cas de panne ou d’absence, la cuisine centrale prend le relais.",
            support=(66, 22, 12),
            arguments=(("for", "Un remplacement a pris onze jours l’an dernier.", "Registre du personnel"),),
        ),
        Voice(
            section=1,
            title="Un repas végétarien par jour, au choix",
            body="Un choix végétarien chaque jour, cuisiné avec le même soin.",
            support=(47, 13, 40),
            arguments=(
                ("for", "Les restes baissent quand les enfants choisissent.", "Pesées des Tilleuls"),
                ("against", "Deux plats, c’est plus de travail pour la même équipe.", "Entretiens avec les agents"),
                ("against", "Les éleveurs du plateau vivent de la cantine.", ""),
            ),
        ),
        Voice(
            section=1,
            title="Acheter d’abord à moins de 50 km",
            body="La moitié des achats à moins de 50 km dès la deuxième année.",
            support=(79, 14, 7),
            arguments=(
                ("for", "Onze maraîchers sont prêts à s’engager sur l’année.", "Lettres d’intention"),
                (
                    "against",
                    "La loi interdit de préférer un producteur pour sa seule distance\u202f: il faut des lots bien écrits.",
                    "Code de la commande publique, article L. 2112-2",
                ),
            ),
        ),
        Voice(
            section=1,
            title="Peser les restes chaque semaine, et le dire",
            body="Une pesée par semaine, affichée à l’entrée.",
            support=(74, 18, 8),
        ),
        Voice(
            section=2,
            title="Publier le coût complet d’un repas",
            body="Denrées, salaires, énergie, amortissement\u202f: un chiffre par an, avec sa méthode.",
            support=(88, 9, 3),
            arguments=(
                ("for", "Le débat porte aujourd’hui sur trois chiffres différents.", "Comptes rendus du conseil"),
            ),
        ),
        Voice(
            section=2,
            title="Un tarif à un euro pour les trois premières tranches",
            body="Le repas à un euro pour les familles aux revenus les plus bas.",
            support=(63, 17, 20),
            arguments=(
                ("for", "L’État rembourse trois euros par repas servi à ce tarif.", "Dispositif « cantine à un euro »"),
                ("against", "Le dispositif peut s’arrêter\u202f: qui paiera alors\u202f?", ""),
            ),
        ),
    ),
    "Un bus de nuit entre la gare et l’hôpital": (
        Voice(
            section=0,
            title="Passer par la cité des Peupliers",
            body="Un tiers des agents de nuit y habitent.",
            support=(71, 18, 11),
            arguments=(
                ("for", "213 agents y logent.", "Comptages de nuit"),
                ("against", "Le détour coûte sept minutes.", "Étude d’itinéraire"),
            ),
        ),
        Voice(
            section=0,
            title="Un minibus à la demande plutôt qu’une ligne",
            body="Réserver avant 23 h, être déposé à sa porte.",
            support=(38, 21, 41),
            arguments=(
                ("against", "On ne sait pas toujours à quelle heure finit une garde.", "Entretiens avec 40 soignants"),
            ),
        ),
        Voice(
            section=1,
            title="Caler le départ sur les relèves",
            body="Les relèves sont à 22 h 45, 0 h 30 et 6 h 15. Un bus dix minutes après chacune.",
            support=(90, 7, 3),
            arguments=(("for", "Aucune relève ne tombe sur les départs proposés.", "Planning de l’hôpital"),),
        ),
        Voice(
            section=1,
            title="Sept nuits sur sept, pas seulement en semaine",
            body="L’hôpital ne ferme pas le samedi.",
            support=(81, 12, 7),
        ),
    ),
}

#: Who signs the answer, and what is said to the ask, to the points, to the last of them.
ANSWER_SIGNED: Final = ("Camille Roche (exemple)", "vice-présidente chargée des transports, métropole de Rivenord")
ANSWER_ASK: Final = (
    "La métropole rétablit une ligne de nuit **cinq nuits sur sept** dès septembre, et les deux autres à titre d’essai."
)
ANSWER_YES: Final = "D’accord. Les horaires de la ligne suivront les relèves de l’hôpital, revus chaque trimestre avec ses représentants."
ANSWER_NO: Final = "Non, pas cette année : le détour ferait perdre deux rotations. Nous publions le calcul."
#: What is promised, by whom, within how many days.
COMMITMENTS: Final = (
    ("Ouvrir la ligne cinq nuits sur sept", "Direction des transports", 120),
    ("Publier la fréquentation chaque mois", "Direction des données", 60),
)

FIRST_NAMES: Final = (
    "Awa",
    "Léa",
    "Nora",
    "Inès",
    "Jeanne",
    "Maud",
    "Sofia",
    "Claire",
    "Yasmine",
    "Élise",
    "Hugo",
    "Karim",
    "Paul",
    "Youssef",
    "Martin",
    "Léo",
    "Samir",
    "Théo",
    "Marc",
    "Denis",
    "Ana",
    "Rosa",
    "Lin",
    "Noé",
    "Camille",
    "Sacha",
    "Dominique",
    "Alix",
)
LAST_NAMES: Final = (
    "Martin",
    "Diallo",
    "Nguyen",
    "Bernard",
    "Lopez",
    "Petit",
    "Benali",
    "Robert",
    "Moreau",
    "Da Silva",
    "Leroy",
    "Traoré",
    "Fontaine",
    "Garnier",
    "Haddad",
    "Roux",
    "Kowalski",
    "Blanc",
    "Faure",
    "Mercier",
)
