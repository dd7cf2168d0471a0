"""The RO-Crate against the community's validator: every MUST of the Provenance Run profile."""

from rdflib.plugins.shared.jsonld import context, util

# Terms of the RO-Crate 1.1 context that the crate uses, since the context itself is on the network.
CONTEXT = {
    "@context": {
        "@vocab": "http://schema.org/",
        "File": "http://schema.org/MediaObject",
        "conformsTo": "http://purl.org/dc/terms/conformsTo",
        "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
        "sha256": "https://w3id.org/ro/terms/workflow-run#sha256",
    }
}
# Checks that fetch that context; a test asks for no network.
FETCHES = ("ro-crate-1.1_3.1", "ro-crate-1.1_3.2")


real = util.source_to_json


def offline(source, *arguments, **options):
    return (CONTEXT, None) if "w3id.org" in str(source) else real(source, *arguments, **options)


# Before the validator, which takes the function for its own cache when it is imported.
util.source_to_json = context.source_to_json = offline

from rocrate_validator import models, services  # noqa: E402


def violations(folder):
    asked = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="provenance-run-crate-0.5",
        requirement_severity=models.Severity.REQUIRED,
    )
    found = services.validate(asked).get_issues()
    return [(one.check.identifier, one.message) for one in found if one.check.identifier not in FETCHES]  # fmt: skip


def test_a_run_meets_the_profile(report):
    assert violations(report.parents[1]) == []


def test_the_validator_sees_what_is_missing(report, tmp_path):
    text = (report.parents[1] / "ro-crate-metadata.json").read_text()
    (tmp_path / "ro-crate-metadata.json").write_text(text.replace('"workExample"', '"example"'))
    messages = [message for _, message in violations(tmp_path)]
    assert any("workExample" in message for message in messages)
