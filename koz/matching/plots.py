"""Plots of simulated rounds as an SVG document that stands alone, with the same facts as text in it. Pure."""

from collections.abc import Sequence
from html import escape
from typing import Final

from koz.matching.simulation import Outcome

WIDTH: Final = 640
#: Name, colour and dash of each policy; the dash tells them apart without colour.
STYLES: Final = {"top": ("Invite the top 3", "#8a5a00", "6 4"), "plan": ("Plan", "#0b5c8a", "none")}


def draw_rounds(outcomes: Sequence[Outcome]) -> str:
    """Share of seats filled after each round, a line for each policy; the text under it says the same."""
    left, top, width, height = 60, 48, WIDTH - 90, 240
    rounds = len(outcomes[0].filled_by_round)
    lines = [sentence(o) for o in outcomes]
    tall = top + height + 60 + 20 * len(lines)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {tall}" role="img" aria-labelledby="t d">',
        '<title id="t">Share of seats filled after each round</title>',
        f'<desc id="d">{escape(" ".join(lines))}</desc>',
        '<g font-family="sans-serif" font-size="13" fill="#222">',
        '<rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{left}" y="24" font-size="16">Share of seats filled after each round</text>',
    ]
    for percent in (0, 25, 50, 75, 100):
        y = top + height * (1 - percent / 100)
        parts.append(f'<path d="M{left} {y:.1f}h{width}" stroke="#ddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{percent} %</text>')
    for n in range(rounds + 1):
        x, word = left + width * n / rounds, n or "start"
        parts.append(f'<text x="{x:.1f}" y="{top + height + 20}" text-anchor="middle">{word}</text>')
    for outcome in outcomes:
        label, colour, dash = STYLES[outcome.policy]
        points = [
            (left + width * n / rounds, top + height * (1 - share))
            for n, share in enumerate((0.0, *outcome.filled_by_round))
        ]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(
            f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="3" stroke-dasharray="{dash}"/>'
        )
        x, y = points[-1]
        parts.append(f'<text x="{x:.1f}" y="{y - 8:.1f}" text-anchor="end" fill="{colour}">{label}</text>')
    for n, line in enumerate(lines):
        parts.append(f'<text x="{left}" y="{top + height + 50 + 20 * n}">{escape(line)}</text>')
    return "\n".join([*parts, "</g></svg>", ""])


def sentence(outcome: Outcome) -> str:
    """What a policy came to, in one line."""
    return (
        f"{STYLES[outcome.policy][0]}: {outcome.filled:.0%} of seats filled,"
        f" {outcome.per_filled_seat:.1f} invitations each, at most {outcome.most_asked} a person."
    )
