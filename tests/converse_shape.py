"""Whether a Converse body is valid, by the AWS SDK's own model of the service."""

import json
from functools import cache

import botocore.session
from botocore.validate import ParamValidator


def problems(body: bytes) -> str:
    """What is wrong with a body, "" where nothing is. Bytes are base64 there as on the wire."""
    return str(ParamValidator().validate({"modelId": "m", **json.loads(body)}, _shape()).generate_report())


@cache
def _shape():
    model = botocore.session.get_session().get_service_model("bedrock-runtime")
    return model.operation_model("ConverseStream").input_shape
