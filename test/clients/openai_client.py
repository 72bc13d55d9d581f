"""The openai package of Python against a running Chanop, unchanged. Arguments: base URL, key. Prints what it has seen."""

import asyncio
import json
import sys

import openai
from openai import AsyncOpenAI, OpenAI

url, key = sys.argv[1:]
client = OpenAI(base_url=url, api_key=key, max_retries=0)
hello = [{"role": "user", "content": "hello"}]
weather = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


def seen(what):
    print(f"openai {openai.__version__}: {what}", flush=True)


def models():
    ids = [model.id for model in client.models.list()]
    assert ids == ["oracle", "main", "numbers"], ids
    assert client.models.retrieve("main").id == "main"
    seen("models are listed")


def whole(model):
    answer = client.chat.completions.create(model=model, messages=hello)
    assert answer.choices[0].message.content == "Hello there", answer
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens > 0
    seen(f"{model} answers")


def streamed(model):
    stream = client.chat.completions.create(
        model=model, messages=hello, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "Hello there", text
    assert chunks[-1].usage.total_tokens > 0
    with client.chat.completions.stream(model=model, messages=hello) as events:
        last = events.get_final_completion()
    assert last.choices[0].message.content == "Hello there"
    seen(f"{model} streams")


def stopped(model):
    stream = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "slowly"}], stream=True
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            break
    stream.close()
    seen(f"{model} is stopped")


def tools():
    messages = [{"role": "user", "content": "what is the weather?"}]
    asked = client.chat.completions.create(model="main", messages=messages, tools=[weather])
    assert asked.choices[0].finish_reason == "tool_calls"
    call = asked.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": "Oslo"}
    result = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    told = client.chat.completions.create(
        model="main", messages=[*messages, asked.choices[0].message, result], tools=[weather]
    )
    assert told.choices[0].message.content == "It is sunny", told
    with client.chat.completions.stream(model="main", messages=messages, tools=[weather]) as events:
        call = events.get_final_completion().choices[0].message.tool_calls[0]
    assert call.function.name == "weather" and json.loads(call.function.arguments) == {"city": "Oslo"}
    assert client.chat.completions.create(model="oracle", messages=hello, tools=[weather])
    seen("tools are called")


def embeddings():
    answer = client.embeddings.create(model="numbers", input=["a", "b"])
    assert [item.embedding for item in answer.data] == [[0.5, -1.0], [0.5, -1.0]], answer
    seen("embeddings are made")


def errors():
    for wrong, kind in [({"model": "none"}, openai.NotFoundError), ({"model": "main", "n": 3}, openai.BadRequestError)]:
        try:
            client.chat.completions.create(messages=hello, **wrong)
            raise SystemExit(f"{wrong} was answered")
        except kind as error:
            assert error.message
    try:
        OpenAI(base_url=url, api_key="nobody", max_retries=0).models.list()
        raise SystemExit("a wrong key was taken")
    except openai.AuthenticationError:
        pass
    seen("errors have their classes")


async def many():
    several = AsyncOpenAI(base_url=url, api_key=key, max_retries=0)
    answers = await asyncio.gather(
        *(several.chat.completions.create(model=model, messages=hello) for model in ["main", "oracle"] * 5)
    )
    assert all(answer.choices[0].message.content == "Hello there" for answer in answers)
    await several.close()
    seen("ten at once are answered")


models()
for name in ["oracle", "main"]:
    whole(name)
    streamed(name)
    stopped(name)
tools()
embeddings()
errors()
asyncio.run(many())
