"""What answers the requests of lm-eval: transformers, vLLM, or an OpenAI-compatible server."""
