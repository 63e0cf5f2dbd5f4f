"""The words of synthetic papers: formulas of bills of lading, letters and accounts by language."""

from __future__ import annotations

LANGUAGES = ("Dutch", "French", "English", "Spanish", "Danish")

#: Running text; a page takes it up at any word, so that no two pages read the same.
TEXTS: dict[str, str] = {
    "Dutch": (
        "Ick Schipper naest Godt van mijn Schip geladen om met den eersten goeden wint die "
        "Godt verleenen sal te seylen bekenne ontfangen te hebben onder den overloop van mijn "
        "voorsz Schip van UEd alle droogh ende wel geconditioneert ende gemerckt met dit "
        "voorstaende merck het welcke ick beloove te leveren indien my Godt behouden reyse "
        "verleent aen den Eersame Heer of aen sijnen Factoor mits my betaelende voor vracht "
        "van dit voorsz goet ende de Avarye na de Usantie van der Zee Ende om dit te voldoen "
        "soo verbinde ick my selven ende alle mijn goet Mijn Heer UE missive van den passato "
        "is my wel geworden daer uyt gesien hebbende de ontfangst van de vaten suycker ende "
        "balen coffy soo sal ick met de eerste gelegentheyt de reeckeninge oversenden hier "
        "mede eyndigende blijve naer groete"
    ),
    "French": (
        "Je Maistre apres Dieu du Navire nomme estant de present devant pour du premier temps "
        "convenable qu'il plaira a Dieu envoyer aller a droite route recognois avoir receu "
        "dans le bord de mondit Navire sous le franc tillac d'iceluy de vous Messieurs le "
        "tout sec et bien conditionne marque et numerote comme en marge lesquelles "
        "marchandises je promets livrer sauf les perils et fortunes de la Mer en me payant "
        "pour mon fret la somme avec les Avaries selon les us et coustumes de la Mer Monsieur "
        "nous avons l'honneur de vous escrire la presente pour vous donner avis que nous "
        "avons charge pour vostre compte les barriques de sucre et balles de coton dont vous "
        "trouverez cy joint le connoissement et la facture nous sommes tres parfaitement vos "
        "tres humbles et tres obeissants serviteurs"
    ),
    "English": (
        "Shipped by the Grace of God in good order and well conditioned by in and upon the "
        "good Ship called whereof is Master under God for this present Voyage and now riding "
        "at Anchor in the River and by God's Grace bound for to say being marked and numbered "
        "as in the Margent and are to be delivered in the like good order at the aforesaid "
        "Port the danger of the Seas only excepted unto or to his Assigns he or they paying "
        "Freight for the said Goods with Primage and Average accustomed Sir your favours of "
        "the instant came duely to hand and I observe the contents the Sugars and Indigo are "
        "come to a bad market but hope they shall rise before the fleet sails I remain with "
        "due respect your most humble servant"
    ),
    "Spanish": (
        "Digo yo Maestre que soy del Navio nombrado que al presente esta surto y anclado en "
        "el Puerto para con la buena ventura seguir este presente viage que conosco haver "
        "recivido y tengo cargado dentro del dicho mi Navio debaxo de cubierta de vos enjuto "
        "y bien acondicionado marcado con la marca de fuera las quales mercaderias me obligo "
        "llevandome Dios en buen salvamento de entregar pagandome de flete y sus averias "
        "acostumbradas Muy Senor mio recivi la de vmd con el aprecio que corresponde y en su "
        "vista digo que los caxones de azucar y cueros quedan a bordo cuya quenta remito "
        "adjunta Dios guarde a vmd muchos anos"
    ),
    "Danish": (
        "Jeg Skipper naest Gud paa Skibet kaldet som nu ligger seylfaerdig at gaa med forste "
        "gode vind som Gud forlener bekiender at have annammet under overlobet paa mit "
        "forbemelte Skib alt tort og vel conditioneret og maerket med hosstaaende maerke som "
        "jeg lover at levere naar Gud mig behagelig reyse forlener til Herr eller hans Ordre "
        "mod betaling for fragt og Haverie efter Soens sedvane Velaedle Herre deres aerede "
        "skrivelse har jeg rigtig bekommet og deraf fornummet at de tonder sukker og baller "
        "bomuld vel ere ankomne jeg forbliver med all hoyagtelse deres ydmyge tiener"
    ),
}

#: Goods as an account or a manifest lists them.
GOODS: dict[str, tuple[str, ...]] = {
    "Dutch": (
        *("vaten Suycker", "balen Coffy", "kisten Indigo", "oxhoofden Wijn", "packen Lywaet"),
        *("balen Cattoen", "vaten Tabak", "stucx Huyden", "kasten Porceleyn", "leggers Arack"),
    ),
    "French": (
        *("barriques de Sucre", "balles de Coton", "futailles Indigo", "sacs de Caffe"),
        *("boucauts Tabac", "caisses de Toiles", "tierçons Vin", "cuirs en poil"),
    ),
    "English": (
        *("hogsheads Sugar", "bales Cotton", "casks Indigo", "bags Coffee", "puncheons Rum"),
        *("chests Linens", "barrels Flour", "bundles Hides", "boxes Soap", "pipes Wine"),
    ),
    "Spanish": (
        *("caxones Azucar", "zurrones Anil", "sacas Lana", "cueros al pelo", "botijas Vino"),
        *("tercios Cacao", "fardos Lienzos", "barriles Harina"),
    ),
    "Danish": (
        *("tonder Sukker", "baller Bomuld", "fade Rom", "kister Lerreder", "saekke Caffe"),
        *("fade Tobak", "stykker Huder", "tonder Tiere"),
    ),
}

SALUTATIONS: dict[str, tuple[str, ...]] = {
    "Dutch": ("Mijn Heer", "Eersame Heer", "Laus Deo"),
    "French": ("Monsieur", "Messieurs", "Monsieur et Amy"),
    "English": ("Sir", "Gentlemen", "Honoured Sir"),
    "Spanish": ("Muy Senor mio", "Senores", "Jesus Maria"),
    "Danish": ("Velaedle Herre", "Hr Agent", "Min Herre"),
}
