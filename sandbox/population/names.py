"""Names of people from many countries, each in its own script and in the letters of an email address."""

from __future__ import annotations

from dataclasses import dataclass

Name = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a student comes from."""

    country: str
    language: str
    calling_code: str
    given: tuple[Name, ...]
    family: tuple[Name, ...]


def _pairs(text: str) -> tuple[Name, ...]:
    return tuple((own, plain) for own, plain in (entry.split("=") for entry in text.split()))


def _same(text: str) -> tuple[Name, ...]:
    return tuple((name, name.lower()) for name in text.split())


ORIGINS = (
    Origin(
        "BR",
        "pt",
        "+55",
        _pairs("João=joao Júlia=julia Antônio=antonio Letícia=leticia Caíque=caique Mônica=monica Tainá=taina"),
        _pairs("Conceição=conceicao Araújo=araujo Magalhães=magalhaes Simões=simoes Brandão=brandao Müller=muller"),
    ),
    Origin(
        "CN",
        "zh",
        "+86",
        _pairs("小明=xiaoming 丽华=lihua 建国=jianguo 雨桐=yutong 子涵=zihan 思远=siyuan"),
        _pairs("王=wang 李=li 张=zhang 欧阳=ouyang 刘=liu 陈=chen"),
    ),
    Origin(
        "KR",
        "ko",
        "+82",
        _pairs("민준=minjun 서연=seoyeon 지훈=jihoon 하은=haeun 도윤=doyun"),
        _pairs("김=kim 이=lee 박=park 최=choi 정=jung"),
    ),
    Origin(
        "JP",
        "ja",
        "+81",
        _pairs("さくら=sakura 健太=kenta 陽菜=hina 翔太=shota 美咲=misaki"),
        _pairs("田中=tanaka 佐藤=sato 髙橋=takahashi 渡邉=watanabe 鈴木=suzuki"),
    ),
    Origin(
        "IN",
        "hi",
        "+91",
        _pairs("नेहा=neha अर्जुन=arjun प्रिया=priya रोहन=rohan काव्या=kavya"),
        _pairs("शर्मा=sharma पटेल=patel सिंह=singh गुप्ता=gupta रेड्डी=reddy"),
    ),
    Origin(
        "NP",
        "ne",
        "+977",
        _pairs("सुनिता=sunita बिनोद=binod अनिल=anil गीता=gita"),
        _pairs("थापा=thapa गुरुङ=gurung श्रेष्ठ=shrestha तामाङ=tamang"),
    ),
    Origin(
        "VN",
        "vi",
        "+84",
        _pairs("Hương=huong Tuấn=tuan Thảo=thao Đức=duc Ngọc=ngoc"),
        _pairs("Nguyễn=nguyen Trần=tran Phạm=pham Đặng=dang Võ=vo"),
    ),
    Origin(
        "TH",
        "th",
        "+66",
        _pairs("ชนิดา=chanida ธนกร=thanakorn ณัฐ=nat พิมพ์ชนก=pimchanok"),
        _pairs("ศรีสุข=srisuk ทองดี=thongdee วงศ์สวัสดิ์=wongsawat"),
    ),
    Origin(
        "CO",
        "es",
        "+57",
        _pairs("José=jose Sofía=sofia Andrés=andres Ximena=ximena Íñigo=inigo"),
        _pairs("Muñoz=munoz Peña=pena Gómez=gomez Londoño=londono"),
    ),
    Origin(
        "SA",
        "ar",
        "+966",
        _pairs("محمد=mohammed فاطمة=fatima خالد=khalid نورة=noura"),
        _pairs("العتيبي=alotaibi الغامدي=alghamdi القحطاني=alqahtani"),
    ),
    Origin(
        "UA",
        "uk",
        "+380",
        _pairs("Юлія=yuliia Олексій=oleksii Ганна=hanna Тарас=taras"),
        _pairs("Шевченко=shevchenko Ковальчук=kovalchuk Їжакевич=yizhakevych"),
    ),
    Origin(
        "GR",
        "el",
        "+30",
        _pairs("Ελένη=eleni Γιώργος=giorgos Δήμητρα=dimitra"),
        _pairs("Παπαδόπουλος=papadopoulos Οικονόμου=oikonomou"),
    ),
    Origin(
        "TR",
        "tr",
        "+90",
        _pairs("Çağla=cagla İbrahim=ibrahim Işıl=isil Gökhan=gokhan"),
        _pairs("Yılmaz=yilmaz Öztürk=ozturk Şahin=sahin"),
    ),
    Origin(
        "PL",
        "pl",
        "+48",
        _pairs("Łukasz=lukasz Małgorzata=malgorzata Żaneta=zaneta"),
        _pairs("Wiśniewski=wisniewski Kamiński=kaminski Dąbrowska=dabrowska"),
    ),
    Origin(
        "IL",
        "he",
        "+972",
        _pairs("עדי=adi נועם=noam שירה=shira"),
        _pairs("כהן=cohen לוי=levi"),
    ),
    Origin(
        "GE",
        "ka",
        "+995",
        _pairs("თამარ=tamar გიორგი=giorgi ნინო=nino"),
        _pairs("ბერიძე=beridze კაპანაძე=kapanadze"),
    ),
    Origin(
        "IE",
        "en",
        "+353",
        _pairs("Siobhán=siobhan Seán=sean Aoife=aoife"),
        _pairs("O'Brien=obrien Ní_Cheallaigh=nicheallaigh"),
    ),
    Origin(
        "DE",
        "de",
        "+49",
        _pairs("Jürgen=juergen Käthe=kaethe Björn=bjoern"),
        _pairs("Groß=gross Schäfer=schaefer von_der_Heide=vonderheide"),
    ),
    Origin("AU", "en", "+61", _same("Olivia Jack Charlotte Noah Mia"), _same("Smith Taylor Walker Campbell")),
    Origin("US", "en", "+1", _same("Emma Liam Harper Mason"), _same("Johnson Rivera Brooks Hughes")),
)

SCHOOLS = (
    "English College",
    "Language Academy",
    "Business Institute",
    "University College",
    "Technical Institute",
    "School of Hospitality",
    "Design School",
    "International College",
)
AGENTS = (
    "Study Abroad",
    "Education Agents",
    "Global Pathways",
    "Student Services",
    "Intercâmbio",
    "Edu Consulting",
    "留学",
    "Overseas Counsel",
)
PROVIDERS = ("Homestay Network", "Student Housing", "Health Cover", "Airport Shuttles")
PLACES = (
    ("Harbour", "AU"),
    ("Southbank", "AU"),
    ("Yarra", "AU"),
    ("Gold Coast", "AU"),
    ("Cork", "IE"),
    ("Malta Bay", "MT"),
    ("Paulista", "BR"),
    ("Copacabana", "BR"),
    ("Shibuya", "JP"),
    ("Gangnam", "KR"),
    ("Saigon", "VN"),
    ("Delhi", "IN"),
    ("Kathmandu", "NP"),
    ("Bogotá", "CO"),
    ("Brooklyn", "US"),
    ("Bay Area", "US"),
    ("Kraków", "PL"),
    ("München", "DE"),
)
