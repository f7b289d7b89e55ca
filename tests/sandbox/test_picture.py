"""Painted pictures."""

from PIL import ImageStat

from yibu.sandbox.engines.picture import paint
from yibu.sandbox.engines.subjects import find_subjects


def test_the_same_prompt_gives_the_same_pixels() -> None:
    """The prompt is the seed."""
    one, again, other = paint("山与湖", 320, 180), paint("山与湖", 320, 180), paint("山与湖 2", 320, 180)

    assert one.size == (320, 180)
    assert one.tobytes() == again.tobytes()
    assert one.tobytes() != other.tobytes()


def test_night_is_darker_than_snow() -> None:
    """Subjects in either language set the light."""
    night, snow = (ImageStat.Stat(paint(prompt, 320, 180).convert("L")).mean[0] for prompt in ("城市的夜晚", "snow"))

    assert night < 60 < 160 < snow


def test_subjects_are_found_in_both_languages() -> None:
    """English words count from their start, Chinese ones anywhere."""
    assert find_subjects("两只小鸟飞过雪山") == {"bird", "snow", "mountain"}
    assert find_subjects("Cats in the city, category") == {"cat", "city"}
    assert find_subjects("the best scenario") == frozenset()
