"""aiogram is imported without its schemas, and whole models can still be had."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import adapters.telegram.channel
import aiogram.types
from aiogram.methods import SendMessage
from pydantic import BaseModel

print(SendMessage.__pydantic_complete__)
SendMessage.model_rebuild(_types_namespace=vars(aiogram.types))
print(SendMessage(chat_id=1, text="да").text)


class Own(BaseModel):
    number: int


print(Own(number="1").number)
"""


def test_models_are_left_alone_until_somebody_needs_one() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["False", "да", "1"], done.stderr
