"""All rules over one company's books, in one place."""

from __future__ import annotations

from sandbox.conta_azul.catalogue import Catalogue
from sandbox.conta_azul.company import Company
from sandbox.conta_azul.events import Events
from sandbox.conta_azul.instalments import Instalments
from sandbox.conta_azul.people import People
from sandbox.conta_azul.people_list import PeopleList
from sandbox.conta_azul.search import Search
from sandbox.conta_azul.settlements import Settlements


class Books:
    """The rules, sharing what is kept."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.people = People(company)
        self.people_list = PeopleList(company, self.people)
        self.events = Events(company)
        self.instalments = Instalments(company, self.events)
        self.settlements = Settlements(company, self.instalments)
        self.search = Search(company)
        self.catalogue = Catalogue(company)
