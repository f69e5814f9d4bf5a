from pipeline_helpers import *  # noqa: F401, F403
