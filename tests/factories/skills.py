"""Small official files of ESCO and ROME, as text by file name, and a folder that holds them; phrases to find."""

import gzip
from pathlib import Path

SKILL = "http://data.europa.eu/esco/skill/"
JOB = "http://data.europa.eu/esco/occupation/"

ESCO = {
    "skills_en.csv": (
        "conceptType,conceptUri,skillType,preferredLabel,altLabels\n"
        f'KnowledgeSkillCompetence,{SKILL}a,skill/competence,write press releases,"draft press releases\nprepare press releases"\n'
        f"KnowledgeSkillCompetence,{SKILL}b,skill/competence,communicate with media,\n"
        f"KnowledgeSkillCompetence,{SKILL}c,knowledge,accounting,\n"
    ),
    "skills_fr.csv": (
        "conceptUri,preferredLabel,altLabels\n"
        f"{SKILL}a,rédiger des communiqués de presse,écrire un communiqué | faire un communiqué\n"
        f"{SKILL}c,comptabilité,\n"
    ),
    "occupations_en.csv": (
        f"conceptType,conceptUri,iscoGroup,preferredLabel,altLabels\nOccupation,{JOB}p,2432,press officer,publicist\n"
    ),
    "broaderRelationsSkillPillar.csv": (
        "conceptType,conceptUri,broaderType,broaderUri\n"
        f"KnowledgeSkillCompetence,{SKILL}a,KnowledgeSkillCompetence,{SKILL}b\n"
        f"KnowledgeSkillCompetence,{SKILL}b,SkillGroup,{SKILL}S1.2\n"
    ),
    "broaderRelationsOccPillar.csv": (
        "conceptType,conceptUri,broaderType,broaderUri\n"
        f"Occupation,{JOB}p,ISCOGroup,http://data.europa.eu/esco/isco/C2432\n"
        f"Occupation,{JOB}unknown,ISCOGroup,http://data.europa.eu/esco/isco/C2432\n"
    ),
    "skillSkillRelations.csv": (
        "originalSkillUri,originalSkillType,relationType,relatedSkillType,relatedSkillUri\n"
        f"{SKILL}a,skill/competence,optional,knowledge,{SKILL}c\n"
    ),
    "occupationSkillRelations.csv": (
        "occupationUri,relationType,skillType,skillUri\n"
        f"{JOB}p,essential,skill/competence,{SKILL}a\n"
        f"{JOB}unknown,essential,skill/competence,{SKILL}a\n"
    ),
}

ROME = {
    "unix_referentiel_appellation_v460_utf8.csv": (
        '"code_ogr","libelle_appellation_long","libelle_appellation_court","code_rome","classification","code_rome_parent"\n'
        '"10","Attaché / Attachée de presse","Attaché(e) de presse","E1103","SYNONYME","E1103"\n'
        '"11","Chargé / Chargée de communication","Chargé(e) de communication","E1103","PRINCIPALE","E1103"\n'
    ),
    "unix_referentiel_competence_v460_utf8.csv": (
        '"code_ogr","nature","libelle_competence","code_ogr_macro_comp"\n'
        '"20","Compétence","Rédiger un communiqué","21"\n'
        '"21","Macro-compétence","Communiquer avec les médias",""\n'
    ),
    "unix_referentiel_savoir_v460_utf8.csv": '"code_ogr_savoir","libelle_savoir"\n"30","Comptabilité"\n',
    "unix_coherence_item_v460_utf8.csv": (
        '"code_rome","code_ogr","coeur_metier"\n"E1103","20","Principale"\n"E1103","30",""\n"E1103","99",""\n'
    ),
    "rome_v3_isco08.csv": "code_rome,libelle_rome,code_isco08\nE1103,Communication,2432\n",
}


def write_files(folder: Path, texts: dict[str, str], *, packed: bool = False) -> Path:
    """Put files into a folder, plain or as gzip; returns the folder."""
    folder.mkdir(exist_ok=True)
    for name, text in texts.items():
        if packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / name).write_text(text, encoding="utf-8")
    return folder


PHRASES = Path(__file__).parents[1] / "skills/phrases.tsv"


def phrases() -> list[tuple[str, str, frozenset[str]]]:
    """What people of NGOs type: language, phrase, codes of the concepts that are a right answer, ours unprefixed."""
    rows = [line.split("\t") for line in PHRASES.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return [(lang, phrase, frozenset(codes.split("|"))) for lang, phrase, codes in rows]
