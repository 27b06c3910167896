//! The help in French: one text per command and per flag. A test holds it
//! complete beside `args`.

/// How a French help page is laid out.
pub const TEMPLATE: &str = "\
{about-with-newline}
Utilisation\u{a0}: {usage}

{all-args}{after-help}";

/// What a command does; `here` is `poterne …`.
pub fn about(here: &str) -> Option<&'static str> {
    Some(match here.strip_prefix("poterne")?.trim_start() {
        "" => {
            "Coffre chiffré d’identifiants de clients, et lanceur de toutes les sessions distantes"
        }
        "init" => "Crée un coffre",
        "unlock" => "Déverrouille le coffre pour les commandes suivantes (démarre un agent)",
        "lock" => "Verrouille le coffre\u{a0}: arrête l’agent",
        "status" => "Dit si le coffre est déverrouillé, et par qui",
        "tree" => "Montre tout ce qui est sous un dossier, ou tout",
        "ls" => "Liste un dossier, ou les clients",
        "find" => "Cherche dans les noms, hôtes, utilisateurs, étiquettes, genres et chemins",
        "show" => "Montre une entrée\u{a0}; les secrets seulement avec --reveal",
        "add" => "Crée un client, un dossier ou une entrée",
        "edit" => "Modifie un client, un dossier ou une entrée",
        "mv" => "Déplace ou renomme",
        "rm" => "Met à la corbeille",
        "restore" => "Reprend dans la corbeille, ou revient à une version antérieure",
        "history" => "Versions d’une entrée\u{a0}: l’actuelle, puis les antérieures",
        "connect" => "Ouvre une session ou une page web, ou lance une commande",
        "snapshot" => {
            "La configuration d’un équipement\u{a0}: la relever, voir ce qui est gardé, ce qui diffère"
        }
        "snapshot take" => {
            "Relève la configuration maintenant, la garde, et montre ce qui a changé depuis la dernière"
        }
        "snapshot list" => "Ce qui est gardé, le plus récent d’abord",
        "snapshot show" => "Montre un relevé (c’est inscrit au journal)",
        "snapshot diff" => "Montre ce qui diffère entre deux (c’est inscrit au journal)",
        "vpn" => "Les VPN\u{a0}: reprendre des profils, voir lesquels sont montés, les arrêter",
        "vpn import" => {
            "Fait un VPN d’un profil OpenVPN, ou le renouvelle\u{a0}: montre ce qui en est laissé de côté"
        }
        "vpn fetch" => "Reprend un profil là d’où il vient, montre ce qui a changé, et demande",
        "vpn list" => "Lesquels sont montés\u{a0}: état, adresse, sessions, octets",
        "vpn down" => "En arrête un\u{a0}: ses sessions se terminent",
        "plan" => "Réglages effectifs d’une entrée et leur provenance",
        "totp" => "Code à usage unique actuel d’une entrée",
        "generate" => "Fabrique un mot de passe",
        "audit" => "Le journal des accès",
        "audit log" => "Montre des lignes",
        "audit export" => "Écrit des lignes dans un fichier",
        "audit verify" => "Vérifie le journal, ou un paquet exporté (sans coffre)",
        "audit fingerprint" => "Empreinte publique du coffre",
        "member" => "Les membres du coffre",
        "member list" => "Qui ils sont",
        "member invite" => "Fabrique une invitation à usage unique",
        "member accept" => "Accepte une invitation, avec un mot de passe et un téléphone à soi",
        "member role" => "Change le rôle et les clients",
        "member remove" => {
            "Retire un membre, change les clés, et liste ce qu’il faut changer ailleurs"
        }
        "member rotation" => "Ce que les membres retirés avaient vu ou utilisé, à changer ailleurs",
        "device" => "Vos ordinateurs enrôlés",
        "device list" => "Lesquels",
        "device add" => {
            "Donne un code à usage unique pour un autre ordinateur\u{a0}: redemande vos facteurs"
        }
        "device enrol" => {
            "Enrôle cet ordinateur\u{a0}: demande le code à usage unique ou le kit, votre mot de passe deux fois (il devient celui de cet ordinateur), puis le code du téléphone"
        }
        "device remove" => "En retire un",
        "connector" => "Types d’entrées, et connecteurs par manifeste",
        "connector list" => "Lesquels, d’où ils viennent, et s’ils peuvent servir ici",
        "connector check" => "Vérifie un manifeste\u{a0}: chaque faute avec sa ligne et sa colonne",
        "connector try" => "Lance un manifeste sans coffre\u{a0}; ses secrets sont demandés",
        "connector add" => {
            "Partage un manifeste avec les membres du coffre, à la place de celui de son type"
        }
        "connector remove" => "Ne le partage plus\u{a0}: ses accès restent, et ne s’ouvrent plus",
        "connector approve" => {
            "Montre un manifeste, ou ce qui y a changé, et l’approuve pour cet ordinateur"
        }
        "passwd" => "Change votre mot de passe",
        "totp-reset" => "Enrôle un autre téléphone",
        "recover" => "Fixe un nouveau mot de passe et un nouveau téléphone avec le kit de secours",
        "kit" => {
            "Fabrique un nouveau kit de secours\u{a0}: redemande vos facteurs\u{a0}; l’ancien ne fonctionne plus"
        }
        "backup" => "Écrit une copie vérifiée, ou revient à l’une d’elles",
        "check" => "Vérifie chaque fiche, les clés et le journal",
        "settings" => "Montre ou change les réglages du coffre",
        "doctor" => "Cherche ce qui manque sur cet ordinateur",
        "demo" => "Un coffre jetable pour essayer",
        "completions" => "Complétions pour un shell",
        "man" => "La page de manuel",
        _ => return None,
    })
}

/// What a flag or argument means; `here` tells apart those of the same name.
pub fn help(here: &str, id: &str) -> Option<&'static str> {
    let command = here.strip_prefix("poterne")?.trim_start();
    Some(match (command, id) {
        ("add", "kind") => "client, folder, ou le type d’entrée",
        ("add", "path") => "Client/Dossier/Nom à créer",
        ("edit", "name") => "Nouveau nom",
        ("member invite" | "member role" | "member remove", "name") => "Qui",
        ("member rotation", "name") => "Seulement de celui-ci",
        ("ls" | "tree", "path") => "Client/Dossier",
        ("backup", "out") => "Où écrire la copie (sinon le dossier des sauvegardes du coffre)",
        ("backup", "restore") => "Revient à cette copie\u{a0}; le fichier actuel est gardé à côté",
        ("audit export", "out") => "Le fichier à écrire",
        ("man", "out") => "Écrit une page par commande dans ce dossier",
        ("show", "out") => "Où écrire la pièce jointe",
        ("member invite" | "member role", "client") => "Ce client (à répéter)",
        ("connector add" | "connector check" | "connector try" | "connector approve", "file") => {
            "Le manifeste, un fichier TOML"
        }
        ("connector remove", "name") => "Le mot de son type, tel que listé",
        ("connector remove", "yes") => "Ne demande rien",
        ("connector try", "field") => {
            "Un champ de l’accès, comme host=srv1 (à répéter)\u{a0}; jamais un secret"
        }
        ("connector approve", "fingerprint") => {
            "Approuve sans demander, si c’est celui-ci (SHA256:…)"
        }
        ("vpn import", "from") => {
            "Un fichier .ovpn, un dossier qui en contient, ou l’adresse https d’un portail"
        }
        ("vpn import", "into") => "Client ou dossier où le ranger",
        ("vpn import", "name") => "Son nom (sinon celui du fichier)",
        ("vpn import", "yes") => "Ne demande rien avant de renouveler un VPN qui est déjà là",
        ("vpn fetch", "yes") => "Ne demande rien",
        ("snapshot show", "number") => "Son numéro, tel que listé\u{a0}; sinon le plus récent",
        ("snapshot diff", "from") => {
            "Numéro du plus ancien\u{a0}; sinon celui d’avant le plus récent des deux"
        }
        ("snapshot diff", "to") => "Numéro du plus récent des deux\u{a0}; sinon le dernier",
        (_, "force") => "Remplace le fichier s’il y en a un",
        (_, "client") => "Seulement les lignes de ce client",
        (_, "vault") => {
            "Le fichier du coffre (sinon POTERNE_VAULT, sinon celui du dossier de données)"
        }
        (_, "member") => {
            "Qui l’ouvre (sinon POTERNE_MEMBER\u{a0}; inutile s’il n’y a qu’un membre)"
        }
        (_, "lang") => {
            "Langue de ce que vous lisez\u{a0}: fr ou en (sinon POTERNE_LANG, sinon le système)"
        }
        (_, "json") => "Un document JSON au lieu de texte (voir le guide, cli.md)",
        (_, "read_only") => {
            "Parcourt les noms seulement\u{a0}: rien n’est écrit (sauf un déverrouillage refusé), révélé ni connecté"
        }
        (_, "accept_older") => {
            "Ouvre une copie plus ancienne que la dernière vue ici, et l’inscrit au journal"
        }
        (_, "portable") => {
            "S’ouvre sur n’importe quel ordinateur\u{a0}: gardé par mot de passe et code seulement"
        }
        (_, "kdf_memory") => {
            "Mémoire pour le renforcement de la clé, en Mio, 64 au moins (sinon environ une seconde)"
        }
        (_, "kit_confirmed") => {
            "Ne demande pas de recopier le kit de secours\u{a0}; il est affiché quand même"
        }
        (_, "kit_pdf") => "Écrit aussi le kit de secours en page PDF",
        (_, "timeout") => "Verrouille après ce temps sans usage, comme 90s, 15m ou 2h",
        (_, "path") => "Client/Dossier/Nom",
        (_, "trash") => "Ce qui est dans la corbeille",
        (_, "query") => "Ce qu’il faut chercher",
        (_, "limit") => "Pas plus que ce nombre",
        (_, "ticket") => "Numéro de ticket, si le client en demande un",
        (_, "reason") => "Motif, si le client en demande un",
        ("add" | "edit", "field") => {
            "Un réglage par son nom (à répéter)\u{a0}: aussi celui d’un connecteur partagé par le coffre"
        }
        (_, "field") => "Ce champ seulement, tel quel",
        (_, "reveal") => "Affiche les secrets (c’est inscrit au journal)",
        (_, "attachment") => "Sort cette pièce jointe (c’est inscrit au journal)\u{a0}; avec --out",
        (_, "host") => "Nom d’hôte ou adresse\u{a0}; adresse d’une page web",
        (_, "port") => "Port TCP",
        (_, "user") => "Nom d’utilisateur",
        (_, "tag") => "Un mot pour chercher (à répéter)\u{a0}; remplace ceux qui y sont",
        (_, "favourite") => "À montrer en premier\u{a0}: yes ou no",
        (_, "description") => "À quoi elle sert",
        (_, "expires") => "Jour où l’identifiant ou la machine expire, comme 2027-01-31",
        (_, "credential") => {
            "D’où vient l’identifiant\u{a0}: own, inherited, ask, mine, ou linked:CHEMIN"
        }
        (_, "custom") => {
            "Un champ à vous (à répéter)\u{a0}; secret\u{a0}: --secret-stdin custom:NOM"
        }
        (_, "attach") => "Garde une copie de ce fichier avec elle (à répéter), 10 Mio au plus",
        (_, "code") => "Code court d’un client",
        (_, "colour") => "Couleur d’un client\u{a0}: #rrvvbb",
        (_, "ticket_pattern") => "Expression régulière des numéros de ticket d’un client",
        (_, "ticket_url") => "Adresse d’un ticket, avec {ticket} dedans",
        (_, "ticket_required") => {
            "Connexion, révélation, export et sortie du client demandent un ticket\u{a0}: yes ou no"
        }
        (_, "reason_required") => {
            "Connexion, révélation, export et sortie du client demandent un motif\u{a0}: yes ou no"
        }
        (_, "secret_stdin") => {
            "Lit ce secret sur l’entrée standard, jusqu’à sa fin\u{a0}: password, private-key, passphrase, totp, notes ou custom:NOM"
        }
        (_, "secret_ask") => "Demande ce secret (à répéter)\u{a0}: une ligne, sans l’afficher",
        (_, "totp_qr") => "Lit la graine TOTP dans une image de son code QR",
        (_, "clear") => "Vide ce champ, secret, champ à vous ou cette pièce jointe",
        (_, "forget_host_key") => {
            "Oublie les clés de serveur épinglées pour l’hôte et le port de cette entrée"
        }
        (_, "expected_version") => "Refuse si l’entrée n’en est plus à cette version",
        (_, "from") => "Client/Dossier/Nom",
        (_, "to") => "Un client ou dossier où déplacer, ou le nouveau chemin",
        (_, "forever") => "Supprime pour de bon ce qui est déjà à la corbeille",
        ("restore", "version") => "Revient à cette version (voir history)",
        (_, "version") => "Affiche la version",
        (_, "accept_host_key") => "Accepte cette clé de serveur, si c’est celle montrée (SHA256:…)",
        (_, "no_reuse") => "Ouvre une nouvelle connexion même s’il y en a déjà une",
        (_, "tty") => "Lance la commande sur un terminal",
        (_, "command") => {
            "La commande à lancer\u{a0}; sans elle, un shell interactif. Un seul argument est une \
             ligne pour le shell distant\u{a0}; plusieurs restent les mots qu’ils sont"
        }
        (_, "length") => "Nombre de caractères, ou de mots avec --words",
        (_, "words") => "Des mots au lieu de caractères",
        (_, "pattern") => {
            "Un moule\u{a0}: l u lettres, d chiffre, s symbole, a lettre ou chiffre, x tout, v voyelle, c consonne"
        }
        (_, "separator") => "Entre les mots",
        (_, "capitals") => "Les mots commencent par une majuscule",
        (_, "no_lower") => "Pas de minuscules",
        (_, "no_upper") => "Pas de majuscules",
        (_, "no_digits") => "Pas de chiffres",
        (_, "no_symbols") => "Pas de symboles",
        (_, "no_look_alikes") => "Rien qui se confonde, comme 0 et O",
        (_, "count") => "Combien",
        (_, "rate") => "Évalue le mot de passe lu sur l’entrée standard au lieu d’en fabriquer un",
        (_, "since") => "Depuis ce moment\u{a0}: RFC 3339, un jour, ou il y a tant (36h, 7d)",
        (_, "until") => "Jusqu’à ce moment",
        (_, "by") => "Seulement les lignes de ce membre",
        (_, "event") => "Seulement cet événement, comme session.opened",
        (_, "text") => "Seulement les lignes avec ces mots",
        (_, "last") => "Seulement les dernières",
        (_, "format") => "Seul le paquet (bundle) se prouve lui-même",
        (_, "redact") => "Laisse ce champ de côté, comme host ou reason",
        (_, "bundle") => "Un paquet exporté\u{a0}; sans lui, le journal du coffre",
        (_, "fingerprint") => "L’empreinte que le propriétaire du coffre vous a dite",
        (_, "role") => "owner, admin, technician, operator ou auditor",
        (_, "no_clients") => "Aucun client",
        (_, "all_clients") => "Tous les clients, aussi ceux à venir",
        (_, "label") => "Nom de l’autre ordinateur",
        (_, "id") => "Son identifiant, tel que listé",
        (_, "idle_lock") => "Temps sans usage avant le verrouillage, comme 90s, 15m ou 2h",
        (_, "lock_ends_sessions") => "Verrouiller ferme les sessions ouvertes\u{a0}: yes ou no",
        (_, "clipboard") => {
            "Temps avant qu’un secret copié quitte le presse-papiers, comme 20s ou 1m"
        }
        (_, "backups_kept") => "Sauvegardes automatiques récentes à garder",
        (_, "make") => "Écrit ici un coffre inventé au lieu d’ouvrir la fenêtre",
        (_, "entries") => "Nombre d’entrées dedans",
        (_, "shell") => "Quel shell",
        _ => return None,
    })
}
