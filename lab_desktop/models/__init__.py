"""Models on disk and in conversation: GGUF headers, the text model interface, llama.cpp, chat templates.

`resources/models.yaml` offers some. What was downloaded lies in the person's folder as LM Studio has it, each with a
JSON beside it that is written last: the file is whole and has the check number (SHA-256) that the hub tells.

    models/OWNER/REPO/FILE.gguf, FILE.gguf.json     what was downloaded, and where it came from
    models/linked/NAME.json                         what another program keeps; never copied

How well a model fits is computed from this computer's memory and from how fast the practice model answered here. What
cannot be trained here is refused before it is fetched, unless it is wanted for chatting only.
"""
