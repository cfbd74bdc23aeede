"""Models on disk and in conversation: GGUF headers, the text model interface, llama.cpp, chat templates."""
