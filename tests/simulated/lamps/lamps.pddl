; A domain that only the tests know: its words occur nowhere in the reader.
(define (domain lamps)
  (:requirements :strips)
  (:predicates
    (spot ?s) (path ?a ?b) (stands ?s) (lies ?t ?s) (bag-empty) (carries ?t) (hangs ?l ?s) (dark ?l) (glows ?l))
  (:action walk
    :parameters (?a ?b)
    :precondition (and (spot ?a) (spot ?b) (path ?a ?b) (stands ?a))
    :effect (and (stands ?b) (not (stands ?a))))
  (:action gather
    :parameters (?t ?s)
    :precondition (and (lies ?t ?s) (stands ?s) (bag-empty))
    :effect (and (carries ?t) (not (lies ?t ?s)) (not (bag-empty))))
  (:action repair
    :parameters (?l ?t ?s)
    :precondition (and (hangs ?l ?s) (stands ?s) (carries ?t) (dark ?l))
    :effect (and (glows ?l) (bag-empty) (not (carries ?t)) (not (dark ?l)))))
