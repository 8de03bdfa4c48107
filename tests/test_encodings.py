"""The encoding of a text is certain, or its reader asks: no text is read in an encoding that somebody guessed."""

from __future__ import annotations

import intake_kit as kit
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.errors import UnreadableFileError
from pipelines.formats.encodings import detect
from pipelines.formats.text import decode

CHINESE = "上城区 拱墅区 西湖区 滨江区 萧山区 余杭区 临平区 钱塘区 富阳区 临安区 桐庐县 淳安县 建德市"
TABLES = {
    "gb18030": CHINESE,
    "big5": "臺北市 高雄市 臺南市 基隆市 新竹市 嘉義市 桃園市 苗栗縣 彰化縣 南投縣 雲林縣 屏東縣",
    "cp932": "札幌市 函館市 小樽市 旭川市 さいたま市 つくば市 ひたちなか市 千葉市 横浜市 川崎市",
    "euc_jp": "札幌市 函館市 小樽市 旭川市 さいたま市 つくば市 ひたちなか市 千葉市 横浜市 川崎市",
    "cp949": "서울특별시 부산광역시 대구광역시 인천광역시 광주광역시 대전광역시 울산광역시",
    "cp1252": "Köln Düsseldorf München Nürnberg Würzburg Lübeck Mönchengladbach Saarbrücken",
    "latin-1": "Malmö Göteborg Västerås Örebro Norrköping Jönköping Umeå Gävle Borås Södertälje Växjö Åre",
    "iso8859-1": "Ærø Tønder Sønderborg Rødovre Brøndby Høje-Taastrup Århus Ringkøbing-Skjern",
    "cp1250": "Łódzkie Śląskie Małopolskie Świętokrzyskie Wielkopolskie Dolnośląskie Łomża Żagań",
    "iso8859-2": "Łódzkie Śląskie Małopolskie Świętokrzyskie Wielkopolskie Dolnośląskie Łomża Żagań",
    "cp1251": "Москва Казань Самара Тула Рязань Владимир Ярославль Кострома Иваново Смоленск",
    "koi8-r": "Москва Казань Самара Тула Рязань Владимир Ярославль Кострома Иваново Смоленск",
    "cp1253": "Αττική Κρήτη Ήπειρος Θεσσαλία Πελοπόννησος Θράκη Μακεδονία",
    "cp1254": "İstanbul Şanlıurfa Diyarbakır Muğla Çanakkale Eskişehir Ağrı Iğdır",
    "cp850": "Köln Düsseldorf München Nürnberg Würzburg Lübeck",
}


def table(words: str) -> str:
    return "Place,Heads\r\n" + "".join(f"{word},{37 * n}\r\n" for n, word in enumerate(words.split(), start=1))


@pytest.mark.parametrize("encoding", TABLES)
def test_a_table_of_names_is_read_as_it_was_written(encoding: str) -> None:
    text = table(TABLES[encoding])
    detected = detect(text.encode(encoding))
    assert detected.is_certain, detected
    assert decode(text.encode(encoding), "detect", "file") == text
    assert not detected.is_declared  # what was taken is said: nothing in the bytes names it


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_the_bytes_say_themselves_is_certain(encoding: str) -> None:
    detected = detect(table(CHINESE).encode(encoding))
    assert detected.is_certain
    assert detected.is_declared
    assert decode(table(CHINESE).encode(encoding), "detect", "file") == table(CHINESE)


@pytest.mark.parametrize(
    ("text", "encoding", "other"),
    [
        ("Place,Heads\n杭州,12\nAsh,34\n", "gb18030", "cp949"),  # two characters are words in five encodings
        ("Département;Élèves\nHérault;12\n", "cp1252", "cp1250"),  # or Czech: Élčves
        ("Регион;Население\nКазань;12\n", "cp1251", "cp1253"),
    ],
)
def test_bytes_that_can_be_two_texts_are_not_read(text: str, encoding: str, other: str) -> None:
    with pytest.raises(UnreadableFileError, match="the encoding is not certain") as raised:
        decode(text.encode(encoding), "detect", "desk/file/2020/file.csv")
    assert other in raised.value.message
    assert "format.encoding" in (raised.value.do or "")
    assert decode(text.encode(encoding), encoding, "file") == text


@pytest.mark.parametrize("text", ["Place,£ thousand\nAsh,12\n", "Place,€\nAsh,12\n", "Place,x\nBishop’s Castle,12\n"])
def test_the_usual_signs_of_windows_are_signs_and_not_letters(text: str) -> None:
    assert decode(text.encode("cp1252"), "detect", "file") == text


def test_a_misread_name_never_swallows_the_letter_behind_it() -> None:
    """`ö` and `l` are one character in GB18030: `Köln` must not become `K鰈n`."""
    assert "Köln" in decode(b"Ort;Zahl\nK\xf6ln;12\nSt\xe4dte;5\n", "detect", "file")


def test_one_name_many_times_is_as_uncertain_as_once() -> None:
    assert not detect("杭州,12\n".encode("gb18030")).is_certain
    assert not detect("".join(f"杭州,{n}\n" for n in range(20_000)).encode("gb18030")).is_certain


@given(st.lists(st.sampled_from(CHINESE.split()), min_size=1, max_size=12, unique=True))
@settings(max_examples=200)
def test_chinese_names_are_never_taken_for_those_of_another_script(names: list[str]) -> None:
    data = table(" ".join(names)).encode("gb18030")
    detected = detect(data)
    assert not detected.is_certain or data.decode(detected.encoding) == table(" ".join(names))


@given(st.lists(st.sampled_from(TABLES["cp1252"].split()), min_size=1, max_size=6, unique=True))
def test_german_names_are_never_taken_for_those_of_another_script(names: list[str]) -> None:
    data = table(" ".join(names)).encode("cp1252")
    detected = detect(data)
    assert not detected.is_certain or data.decode(detected.encoding) == table(" ".join(names))


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    try:
        decode(data, "detect", "file")
    except UnreadableFileError as error:
        assert error.do


def test_a_file_whose_encoding_is_not_certain_is_unreadable_until_it_is_named() -> None:
    data = "Place,Heads\nAsh,12\nPlouézec,5\nÉlèves,1\n".encode("cp1252")
    assert "not certain" in kit.read(data, {"format": {"kind": "csv", "encoding": "detect"}}).problem
    assert kit.values(kit.read(data, {"format": {"kind": "csv", "encoding": "cp1252"}})) == {"VA1": 12}
