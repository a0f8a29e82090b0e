"""Months: their names in the languages that files come in, as English.

The names are those of CLDR (wide and abbreviated, without full stops)."""

from __future__ import annotations

import re

_ENGLISH = "January February March April May June July August September October November December"
_NAMES = {
    "fr": "janvier,janv,jan février,fevrier,févr,fevr,fév mars avril,avr mai juin juillet,juil août,aout septembre,sept octobre,oct novembre,nov décembre,decembre,déc,dec",
    "de": "januar,jänner,jan februar,feb märz,maerz,mär,mrz april,apr mai juni,jun juli,jul august,aug september,sept,sep oktober,okt november,nov dezember,dez",
    "es": "enero,ene febrero,feb marzo,mar abril,abr mayo,may junio,jun julio,jul agosto,ago septiembre,setiembre,sept,sep octubre,oct noviembre,nov diciembre,dic",
    "it": "gennaio,gen febbraio,feb marzo,mar aprile,apr maggio,mag giugno,giu luglio,lug agosto,ago settembre,set ottobre,ott novembre,nov dicembre,dic",
    "pt": "janeiro,jan fevereiro,fev março,marco,mar abril,abr maio,mai junho,jun julho,jul agosto,ago setembro,set outubro,out novembro,nov dezembro,dez",
    "nl": "januari,jan februari,feb maart,mrt april,apr mei juni,jun juli,jul augustus,aug september,sep oktober,okt november,nov december,dec",
    "pl": "stycznia,styczeń,sty lutego,luty,lut marca,marzec,mar kwietnia,kwiecień,kwi maja,maj czerwca,czerwiec,cze lipca,lipiec,lip sierpnia,sierpień,sie września,wrzesień,wrz października,październik,paź listopada,listopad,lis grudnia,grudzień,gru",
    "sv": "januari,jan februari,feb mars,mar april,apr maj juni,jun juli,jul augusti,aug september,sep oktober,okt november,nov december,dec",
    "da": "januar,jan februar,feb marts,mar april,apr maj juni,jun juli,jul august,aug september,sep oktober,okt november,nov december,dec",
    "fi": "tammikuuta,tammikuu helmikuuta,helmikuu maaliskuuta,maaliskuu huhtikuuta,huhtikuu toukokuuta,toukokuu kesäkuuta,kesäkuu heinäkuuta,heinäkuu elokuuta,elokuu syyskuuta,syyskuu lokakuuta,lokakuu marraskuuta,marraskuu joulukuuta,joulukuu",
    "tr": "ocak,oca şubat,şub mart,mar nisan,nis mayıs,may haziran,haz temmuz,tem ağustos,ağu eylül,eyl ekim,eki kasım,kas aralık,ara",
    "ru": "января,январь,янв февраля,февраль,фев марта,март,мар апреля,апрель,апр мая,май июня,июнь,июн июля,июль,июл августа,август,авг сентября,сентябрь,сен октября,октябрь,окт ноября,ноябрь,ноя декабря,декабрь,дек",
}  # fmt: skip
_WORD = re.compile(r"[^\W\d_]{3,}\.?")
# "de" and "di" stand between: 3 de mayo de 2020; "1er" is the first in French
_BETWEEN = re.compile(r"(?<=[\d\w.])\s+(?:de|di|du|of|den)\s+(?=\w)", re.IGNORECASE)
_FIRST = re.compile(r"\b1(?:er|º|ro)\b", re.IGNORECASE)


def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for names in _NAMES.values():
        for spellings, english in zip(names.split(), _ENGLISH.split(), strict=True):
            for spelling in spellings.split(","):
                known = found.setdefault(spelling, english)
                assert known == english, (spelling, known, english)
    return found


_ENGLISH_OF = _table()
_SHORT = [name[:3] for name in _ENGLISH.split()]
MONTH = rf"(?:{'|'.join([*_ENGLISH.split(), *_SHORT, 'Sept'])})\b"
_KNOWN = re.compile(rf"\b{MONTH}", re.IGNORECASE)


def in_english(text: str) -> str:
    """A date with its month in English; as it is where no month of another language is found."""
    words = _WORD.findall(text)
    found = next((word for word in words if word.casefold().rstrip(".") in _ENGLISH_OF), None)
    if found is None or _KNOWN.search(text):
        return text
    text = text.replace(found, _ENGLISH_OF[found.casefold().rstrip(".")], 1)
    # what else is a word is a weekday: it stands in front
    text = re.sub(r"^[^\W\d_]{3,}\.?,?\s+(?:den\s+)?(?=\d)", "", _BETWEEN.sub(" ", text))
    return re.sub(r"^(?:el|le|il)\s+|(?<=\d)\.\s*(?=[A-Z])", " ", _FIRST.sub("1", text)).strip()
