"""What requests and answers hold, as the OpenAPI document shows it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field

MOST_K = 1000
LONGEST_WHERE = 10_000
_FILTER = "seconds > 60 AND 'Cooking' IN labels"

K = Annotated[int, Query(ge=1, le=MOST_K, description="How many videos to find.")]
Offset = Annotated[
    int, Query(ge=0, le=MOST_K, description="Leave out so many of the best; k + offset <= 1000.")
]
Where = Annotated[
    str | None,
    Query(
        max_length=LONGEST_WHERE,
        description="An SQL expression over metadata, video_id and labels.",
        examples=[_FILTER],
    ),
]
Ids = Annotated[
    list[str], Query(description="The video to search from; repeated: the mean of several.", min_length=1)
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_max_length=LONGEST_WHERE)


class SearchBody(_Body):
    """Several searches: one for each id and one for each vector."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"video_ids": ["-0Ab", "x9Zq"], "k": 5, "where": _FILTER}]}
    )
    video_ids: list[str] = Field(default=[], description="A search from each video.")
    vectors: list[list[float]] = Field(default=[], description="A search from each embedding.")
    raw: bool | None = Field(None, description="The vectors are raw features; null: by their width.")
    k: int = Field(10, ge=1, le=MOST_K)
    offset: int = Field(0, ge=0, le=MOST_K)
    where: str | None = Field(None, max_length=LONGEST_WHERE)
    exclude: list[str] = []
    min_score: float | None = None


class AddBody(_Body):
    """Videos that come."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "video_ids": ["new"],
                    "vectors": [[0.1, 0.2]],
                    "labels": [["Cooking"]],
                    "metadata": [{"seconds": 90}],
                }
            ]
        }
    )
    video_ids: list[str] = Field(min_length=1)
    vectors: list[list[float]] = Field(description="A row for each video: embeddings or raw features.")
    raw: bool | None = None
    labels: list[list[str]] | list[list[int]] | None = None
    metadata: list[dict[str, Any]] | None = Field(None, description="Values by column, for each video.")
    replace: bool = False


class DeleteBody(_Body):
    """Videos that go."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"video_ids": ["old"]}]})
    video_ids: list[str] = Field(min_length=1)


class Video(BaseModel):
    """A video: score, labels by name, metadata by column."""

    video_id: str
    score: float | None
    labels: list[str]
    metadata: dict[str, Any]
    link: str | None = None
    thumbnail: str | None = None


class Found(BaseModel):
    """An answer: the most similar first, and the commit of the collection that gave it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "matches": [
                        {
                            "video_id": "x9Zq",
                            "score": 0.91,
                            "labels": ["Cooking"],
                            "metadata": {"seconds": 90},
                            "link": None,
                            "thumbnail": None,
                        }
                    ]
                }
            ]
        }
    )
    matches: list[Video]


class Answers(BaseModel):
    """An answer for each search, ids first, then vectors."""

    answers: list[Found]


class Side(BaseModel):
    """One of two collections: what it is, and what it found."""

    about: dict[str, Any]
    matches: list[Video]


class Compared(BaseModel):
    """The same query in two collections; shares are of the videos that were found."""

    query: Video
    here: Side
    there: Side
    overlap: float | None
    same: list[str]
    labels_here: float | None
    labels_there: float | None


class Failure(BaseModel):
    """What went wrong, in one line."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"error": "no video 'x'"}]})
    error: str
