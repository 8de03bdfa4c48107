"""An unknown file looked at, and a contract proposed for it: `survey` sees, `proposal` writes down, a person decides.

Reading a file for certain is the work of the rest of `intake`; nothing here takes a figure from a file.
"""

from pipelines.intake.sniffing.look import Grounds
from pipelines.intake.sniffing.proposal import Proposal, as_trial, propose, write_proposal
from pipelines.intake.sniffing.survey import Sheet, Survey, survey

__all__ = ["Grounds", "Proposal", "Sheet", "Survey", "as_trial", "propose", "survey", "write_proposal"]
