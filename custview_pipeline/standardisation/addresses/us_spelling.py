"""The spelling of USPS Publication 28: street suffixes, units, directions, states."""

from typing import Final

# Suffixes by their standard abbreviation, with the spellings found in use. Source: USPS Publication 28, appendix C1.
_SUFFIXES: Final = """
Aly: alley allee aly ally; Anx: annex anex annx; Arc: arcade; Ave: avenue ave av aven avenu avn avnue; Byu: bayou bayoo;
Bch: beach; Bnd: bend; Blf: bluff bluf; Blfs: bluffs; Btm: bottom bot bottm; Blvd: boulevard blvd boul boulv;
Br: branch brnch; Brg: bridge brdge; Brk: brook; Brks: brooks; Bg: burg; Bgs: burgs; Byp: bypass bypa bypas byps;
Cp: camp cmp; Cyn: canyon canyn cnyn; Cpe: cape; Cswy: causeway causwa; Ctr: center cen cent centr centre cnter cntr;
Ctrs: centers; Cir: circle circ circl crcl crcle; Cirs: circles; Clf: cliff; Clfs: cliffs; Clb: club; Cmn: common;
Cmns: commons; Cor: corner; Cors: corners; Crse: course; Ct: court crt; Cts: courts; Cv: cove; Cvs: coves; Crk: creek;
Cres: crescent crsent crsnt; Crst: crest; Xing: crossing crssng; Xrd: crossroad; Xrds: crossroads; Curv: curve; Dl: dale;
Dm: dam; Dv: divide div dvd; Dr: drive driv drv; Drs: drives; Est: estate; Ests: estates;
Expy: expressway exp expr express expw; Ext: extension extn extnsn; Exts: extensions; Fall: fall; Fls: falls; Fry: ferry frry;
Fld: field; Flds: fields; Flt: flat; Flts: flats; Frd: ford; Frds: fords; Frst: forest forests; Frg: forge forg; Frgs: forges;
Frk: fork; Frks: forks; Ft: fort frt; Fwy: freeway freewy frway frwy; Gdn: garden gardn grden grdn; Gdns: gardens grdns;
Gtwy: gateway gatewy gatway gtway; Gln: glen; Glns: glens; Grn: green; Grns: greens; Grv: grove grov; Grvs: groves;
Hbr: harbor harb harbr hrbor; Hbrs: harbors; Hvn: haven; Hts: heights ht; Hwy: highway highwy hiway hiwy hway; Hl: hill;
Hls: hills; Holw: hollow hllw hollows holws; Inlt: inlet; Is: island islnd; Iss: islands islnds; Isle: isle isles;
Jct: junction jction jctn junctn juncton; Jcts: junctions jctns; Ky: key; Kys: keys; Knl: knoll knol; Knls: knolls; Lk: lake;
Lks: lakes; Land: land; Lndg: landing lndng; Ln: lane; Lgt: light; Lgts: lights; Lf: loaf; Lck: lock; Lcks: locks;
Ldg: lodge ldge lodg; Loop: loop loops; Mall: mall; Mnr: manor; Mnrs: manors; Mdw: meadow; Mdws: meadows medows; Mews: mews;
Ml: mill; Mls: mills; Msn: mission missn mssn; Mtwy: motorway; Mt: mount mnt; Mtn: mountain mntain mntn mountin mtin;
Mtns: mountains mntns; Nck: neck; Orch: orchard orchrd; Oval: oval ovl; Opas: overpass; Park: park prk parks;
Pkwy: parkway parkwy pkway pky parkways pkwys; Pass: pass; Psge: passage; Path: path paths; Pike: pike pikes; Pne: pine;
Pnes: pines; Pl: place; Pln: plain; Plns: plains; Plz: plaza plza; Pt: point; Pts: points; Prt: port; Prts: ports;
Pr: prairie prr; Radl: radial rad radiel; Ramp: ramp; Rnch: ranch ranches rnchs; Rpd: rapid; Rpds: rapids; Rst: rest;
Rdg: ridge rdge; Rdgs: ridges; Riv: river rvr rivr; Rd: road; Rds: roads; Rte: route; Row: row; Rue: rue; Run: run;
Shl: shoal; Shls: shoals; Shr: shore shoar; Shrs: shores shoars; Skwy: skyway; Spg: spring spng sprng;
Spgs: springs spngs sprngs; Spur: spur spurs; Sq: square sqr sqre squ; Sqs: squares sqrs; Sta: station statn stn;
Stra: stravenue strav straven stravn strvn strvnue; Strm: stream streme; St: street str strt; Sts: streets;
Smt: summit sumit sumitt; Ter: terrace terr; Trwy: throughway; Trce: trace traces; Trak: track tracks trk trks;
Trfy: trafficway; Trl: trail trails trls; Trlr: trailer trlrs; Tunl: tunnel tunel tunls tunnels tunnl;
Tpke: turnpike trnpk turnpk; Upas: underpass; Un: union; Uns: unions; Vly: valley vally vlly; Vlys: valleys;
Via: viaduct vdct viadct; Vw: view; Vws: views; Vlg: village vill villag villg villiage; Vlgs: villages; Vl: ville;
Vis: vista vist vst vsta; Walk: walk walks; Wall: wall; Way: way wy; Ways: ways; Wl: well; Wls: wells
"""
# Units by their standard abbreviation. Source: USPS Publication 28, appendix C2.
_UNITS: Final = """
Apt: apartment; Bsmt: basement; Bldg: building; Dept: department; Fl: floor flr; Frnt: front; Hngr: hangar hanger; Key: key;
Lbby: lobby; Lot: lot; Lowr: lower; Ofc: office; Ph: penthouse; Pier: pier; Rear: rear; Rm: room; Side: side; Slip: slip;
Spc: space; Stop: stop; Ste: suite; Trlr: trailer; Unit: unit; Uppr: upper
"""
_DIRECTIONS: Final = """
N: north; S: south; E: east; W: west; NE: northeast; NW: northwest; SE: southeast; SW: southwest
"""
# States, territories and military "states": USPS Publication 28, appendix B; other spellings in use: GPO Style Manual, 9.13.
_STATES: Final = """
AL: alabama ala; AK: alaska; AZ: arizona ariz; AR: arkansas ark; CA: california calif; CO: colorado colo; CT: connecticut conn;
DE: delaware del; DC: districtofcolumbia; FL: florida fla; GA: georgia; HI: hawaii; ID: idaho; IL: illinois ill; IN: indiana ind;
IA: iowa; KS: kansas kans; KY: kentucky; LA: louisiana; ME: maine; MD: maryland; MA: massachusetts mass; MI: michigan mich;
MN: minnesota minn; MS: mississippi miss; MO: missouri; MT: montana mont; NE: nebraska nebr; NV: nevada nev; NH: newhampshire;
NJ: newjersey; NM: newmexico nmex; NY: newyork; NC: northcarolina; ND: northdakota ndak; OH: ohio; OK: oklahoma okla;
OR: oregon oreg; PA: pennsylvania penn; RI: rhodeisland; SC: southcarolina; SD: southdakota sdak; TN: tennessee tenn;
TX: texas tex; UT: utah; VT: vermont; VA: virginia; WA: washington wash; WV: westvirginia; WI: wisconsin wis; WY: wyoming wyo;
PR: puertorico; GU: guam; VI: virginislands usvirginislands; AS: americansamoa;
MP: northernmarianaislands northernmarianas; FM: micronesia federatedstatesofmicronesia; MH: marshallislands; PW: palau;
AA: armedforcesamericas; AE: armedforceseurope; AP: armedforcespacific
"""


def _by_spelling(table: str) -> dict[str, str]:
    """Return the standard of every spelling, itself included."""
    found: dict[str, str] = {}
    for entry in table.split(";"):
        standard, _, spellings = entry.strip().partition(":")
        found.update(dict.fromkeys([*spellings.split(), standard.lower()], standard))
    return found


SUFFIXES: Final = _by_spelling(_SUFFIXES)
UNITS: Final = _by_spelling(_UNITS)
DIRECTIONS: Final = _by_spelling(_DIRECTIONS)
STATES: Final = _by_spelling(_STATES)
